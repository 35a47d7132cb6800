"""Answers one question: context, retrieval, prompt, generation, claim check, record."""
