"""Handlers, one file for each kind of request. They only record the request, and may run twice for one update."""
