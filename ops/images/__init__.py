"""Container images: what a stack's registries must hold, what they lack, and the copying of it."""
