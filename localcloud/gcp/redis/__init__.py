"""Memorystore for Redis: instances that are real redis-servers."""
