"""Fills holes in a photo on this machine: PatchMatch and what belongs to it, and learned fills.

Pure functions of pictures and masks, meant for a worker process. `filling.fill` is the door.
"""
