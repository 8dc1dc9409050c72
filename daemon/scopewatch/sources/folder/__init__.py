"""Source of frames from image files in a folder."""
