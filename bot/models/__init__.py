"""Model files of neural nets.

`registry` describes each model, `fetch` downloads and `files` checks its file, `graph` cuts it down to what is needed,
`sessions` runs it. Which models there are and why: docs/local-engine.md#models.

No model is required: where a file is missing, damaged or of another shape, the caller uses the classical method.
"""
