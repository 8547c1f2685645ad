"""Deploys a reviewed plan and nothing else, and finds what drifted: with the real engine, wherever a stack is."""
