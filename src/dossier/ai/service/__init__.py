"""Use cases of model calls: ledger, budgets, abilities, prompts, stored answers."""

from dossier.ai.rules.fingerprints import cache_key
from dossier.ai.service.cache import AnswerCache, Follow, Hit, Lead
from dossier.ai.service.prompts import Prompt, load_prompt

__all__ = [
    "AnswerCache",
    "Follow",
    "Hit",
    "Lead",
    "Prompt",
    "cache_key",
    "load_prompt",
]
