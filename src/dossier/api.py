"""The list of routers; a new domain is one line."""
