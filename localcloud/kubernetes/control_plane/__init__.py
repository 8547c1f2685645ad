"""A real Kubernetes control plane on this machine, with simulated nodes; see `plane`, and `localcloud.cluster`."""
