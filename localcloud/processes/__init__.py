"""Processes that never outlive the command: started, waited for, kept, stopped, and cleaned up after a kill."""
