"""Every query on calls, budgets, stored answers and probes."""
