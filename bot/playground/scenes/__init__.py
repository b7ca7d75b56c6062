"""The sample pictures' painters, one file each: `paint()` gives the picture and the mask of its subject."""
