"""The photo-cleaning bot. Start reading at `wiring.py`: it builds the whole program and is the table of contents."""

__version__ = "0.1.0"
