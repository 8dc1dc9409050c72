"""OME-XML: facts about the planes of a file, and their places on a plate."""
