"""Benchmarks whose tables are in the README: `python -m tests.benchmarks [NAME…]`."""
