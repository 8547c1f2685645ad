"""Which Pulumi engine is used, as a command."""
