"""Use cases of model calls: ledger, budgets, abilities, prompts, stored answers."""

from dossier.ai.rules.fingerprints import cache_key
from dossier.ai.service.prompts import Prompt, load_prompt

__all__ = ["Prompt", "cache_key", "load_prompt"]
