"""Reach: who gets where, worked out from all the resources that open or close a way."""
