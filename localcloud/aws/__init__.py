"""AWS on this machine: moto with what it lacks around it, and the provider kinds that create things in it."""
