"""Every query on passages."""
