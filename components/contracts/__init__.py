"""What is asked of a cloud (specs), what comes back (refs), and the promise between them (ports)."""
