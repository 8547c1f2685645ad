"""Writes a stack's Kubernetes objects as files, for whoever applies them by GitOps and not by Pulumi."""
