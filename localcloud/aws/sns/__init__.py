"""SNS: topics and their policies."""
