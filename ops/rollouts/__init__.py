"""Rollouts, tried on one machine with the real programs: how each strategy replaces a release and goes back."""
