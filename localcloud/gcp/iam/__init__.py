"""IAM: policies, service accounts, custom roles."""
