"""Use cases of chat. Starts no transaction, commits none."""
