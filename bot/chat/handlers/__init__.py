"""One file for each thing a person can do. Handlers only record what is asked for, and may run twice for one update."""
