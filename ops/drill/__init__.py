"""Restore drills: a region is lost, the service is restored from the other, and golden predictions prove it."""
