"""What the installed Pulumi SDKs know of every resource's arguments and outputs."""
