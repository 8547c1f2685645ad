"""`seawall variants`: compares a shadow's answers with the stable variant's, and checks an experiment's exposures."""
