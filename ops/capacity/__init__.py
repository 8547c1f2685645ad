"""Says how a stack's fleet follows a load: replicas, queue and latency over time, simulated in seconds."""
