"""Use cases of products and formulas. Starts no transaction, commits none."""
