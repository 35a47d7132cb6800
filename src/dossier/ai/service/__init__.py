"""Use cases of model calls: ledger, budgets, abilities, prompts, stored answers."""

from dossier.ai.rules.fingerprints import cache_key
from dossier.ai.service.abilities import AbilitiesService, StoredProbe, planned_servers
from dossier.ai.service.assembly import (
    ModelParts,
    embedder_name,
    open_model_parts,
    open_tracer,
)
from dossier.ai.service.budgets import BudgetsService
from dossier.ai.service.cache import (
    AnswerCache,
    Follow,
    Hit,
    Lead,
)
from dossier.ai.service.ledger import Ledger
from dossier.ai.service.prices import ModelPrices
from dossier.ai.service.prompts import Prompt, load_prompt
from dossier.ai.service.usage import UsageService

__all__ = [
    "AbilitiesService",
    "AnswerCache",
    "BudgetsService",
    "Follow",
    "Hit",
    "Lead",
    "Ledger",
    "ModelParts",
    "ModelPrices",
    "Prompt",
    "StoredProbe",
    "UsageService",
    "cache_key",
    "embedder_name",
    "load_prompt",
    "open_model_parts",
    "open_tracer",
    "planned_servers",
]
