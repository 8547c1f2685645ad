"""Cloud KMS: rings, keys, versions, and the states that make a key unusable."""
