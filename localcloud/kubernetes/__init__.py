"""The stand-in Kubernetes provider: an object store with the defaults, checks and status that an API server adds."""
