"""Storage Transfer Service: deployed jobs, run from bucket to bucket."""
