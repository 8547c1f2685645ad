"""A stack's feature store as operators' code sees it: its rows, and what a server is told of it."""
