"""Stand-in Pulumi providers: gRPC servers that answer the real engine for `aws`, `gcp` and `kubernetes`."""
