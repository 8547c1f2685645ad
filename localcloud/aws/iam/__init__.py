"""IAM: roles, their policies and their trust, and the judge of what callers and services may do by them."""
