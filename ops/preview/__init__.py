"""What the real engine would do to a deployed stack, told as a diff tells it."""
