"""Calls of models: ledger, budgets, abilities, prompts, the exact cache."""
