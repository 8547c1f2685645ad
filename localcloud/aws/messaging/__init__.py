"""SNS topics and secrets."""
