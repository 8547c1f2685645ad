"""`seawall rehearse`: a stack on a real Kubernetes control plane with simulated nodes, before anyone needs it."""
