"""Google Cloud's emulated data plane: Cloud Storage, Cloud KMS, Memorystore, Storage Transfer and Cloud Scheduler."""
