"""Measures whose tables stand in the README: `python -m tests.benchmarks [NAME…]`."""
