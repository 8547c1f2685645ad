"""Fetches one release of the model repository to a local folder, for a server that reads no bucket.

Runs as the init container of the serving pod, and alone:

    python -m release_fetch --release s3://BUCKET/releases/v1 --manifest-sha256 HEX --signer SHA256:HEX \\
        --into FOLDER --region eu-west-1

It knows nothing of the rest: standard library, cryptography, botocore, certifi and google-cloud-storage.
"""
