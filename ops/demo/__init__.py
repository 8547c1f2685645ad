"""The main job from end to end on the local cloud, with one screen and one page of results."""
