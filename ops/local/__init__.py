"""The local cloud: the real Pulumi engine with stand-in providers and emulators, kept between commands."""
