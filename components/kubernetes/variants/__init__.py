"""Shadow, A/B and fallback: what the door makes of a service's settings, and the recorder of a shadow."""
