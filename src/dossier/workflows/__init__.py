"""Workflows: long work of models that survives crashes, step by step."""
