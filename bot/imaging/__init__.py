"""Pixels: safe opening, masks, crops, blending, mattes, encoding, and the pool of processes that works on them.

Everything here is a plain function of arrays (the pool aside). Nothing here knows engines, edits, chats or settings.
"""
