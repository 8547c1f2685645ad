"""A cloud on this machine: emulated services that enforce, stand-in providers, and the tools that they need."""
