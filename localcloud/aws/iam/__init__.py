"""IAM: service-linked roles, which other services ask for; the roles of a stack are only recorded."""
