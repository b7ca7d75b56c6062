"""Finds objects without a neural net: saliency, superpixels, palettes and minimum cuts.

candidates         the main subject, from several candidates
box                the object in a box
taps               the object under taps or a scribble
see_through        opens gaps that show the surroundings
superpixels, saliency, palette, colour_log_odds, minimum_cut, grabcut: what these are built from
"""
