"""Inpainting on this machine: PatchMatch-based fills and learned fills.

Pure functions of pictures and masks, to be run in a pixel process. The entry point is `filling.fill`.
"""
