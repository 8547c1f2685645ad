"""Cloud Storage: buckets, objects, versions, uploads."""
