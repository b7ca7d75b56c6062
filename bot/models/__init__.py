"""Learned model files: what each is (`registry`), how it is fetched and checked, how it runs (`sessions`).

No model is needed: where a file is missing, broken or of another shape, the caller falls back to the classical way.
"""
