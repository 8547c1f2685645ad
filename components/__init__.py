"""Reusable Pulumi components: contracts, their AWS and Google Cloud implementations, and the fleet."""
