"""Mattes: soft edges from a trimap, and the subject's own colours without the background's."""
