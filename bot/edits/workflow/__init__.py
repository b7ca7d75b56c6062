"""The durable way of an edit: the queue and its steps, and the status message meanwhile."""
