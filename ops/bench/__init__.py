"""Measures speed and memory as ratios within one run, so that a slow or a fast machine tells the same."""
