"""The records of edits: what people asked for, and where each request stands. Every method is one transaction."""
