"""Mattes: soft edges, and the subject's own colours without the background's."""
