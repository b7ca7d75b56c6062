"""Model files of neural nets: what each is (`registry`), how it is downloaded (`fetch`) and checked (`files`), and how it
runs (`sessions`). Which models there are and why: docs/local-engine.md#models.

No model is required: where a file is missing, damaged or of another shape, the caller uses the classical method.
"""
