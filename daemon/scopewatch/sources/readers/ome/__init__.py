"""OME-XML: what it says of the planes of a file, and where on a plate they were taken."""
