"""What a change does to each stack: base and head planned offline, compared, and told as Markdown."""
