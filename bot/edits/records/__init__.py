"""The store: what people requested, and the state of each request. Every method is one transaction and idempotent."""
