"""AWS's side of the preflight: the calls that read, and what each answer means for the stack."""
