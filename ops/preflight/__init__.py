"""What a real account lacks before a stack is brought up there: asked of the cloud, never changed."""
