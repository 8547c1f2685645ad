"""Identities of pods, as EKS gives them: associations, and the agent that hands out temporary credentials."""
