"""`seawall upgrades`: what is newer than the versions that a stack's cluster asks for."""
