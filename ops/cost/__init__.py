"""What a stack costs a month, from dated price lists: an estimate, not an offer."""
