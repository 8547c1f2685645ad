"""A real Triton server on this machine, as the fleet's pods run it."""
