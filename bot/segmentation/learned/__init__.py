"""Finds objects with a neural net (U-2-Net): computes saliency maps of the photo and combines them.

net             one pass of the net
saliency_maps   the saliency maps of one photo, computed on demand
map_file        the file that caches them between jobs
automatic_map   the passes that find the main subject
closer_look     further passes over windows of the photo
pointing        the object in a box or under a tap
confidence      whether a find is sure
"""
