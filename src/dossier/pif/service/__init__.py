"""Use cases of the product information file. Commits nothing."""
