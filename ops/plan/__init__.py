"""Runs a stack's program without an engine or credentials, and shows what it asks for."""
