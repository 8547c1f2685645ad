"""Takes servers away under load, as Kubernetes does or as a crash does, and counts what clients notice."""
