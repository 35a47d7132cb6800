"""Pure rules: prices, budgets, keys of answers, what works with which settings."""
