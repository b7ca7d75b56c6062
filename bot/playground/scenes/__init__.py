"""The scenes of the sample pictures, one module each: `paint()` renders the picture and the mask of its subject."""
