"""S3: buckets and their settings, and what moto lacks: checksums, policies, replication."""
