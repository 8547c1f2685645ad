"""What the operators' commands and the local cloud both stand on.

Errors, progress, folders, where a cloud is reached, and what the installed SDKs know.
"""
