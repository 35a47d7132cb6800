"""Pure rules: prices, budgets, keys of answers, what works with which settings."""

from dossier.ai.rules.budgets import (
    charged_tokens,
    charged_usd,
    window_end,
    window_start,
)
from dossier.ai.rules.fingerprints import cache_key, canonical_json
from dossier.ai.rules.plan import plan_fingerprint
from dossier.ai.rules.pricing import ceiling_usd, cost_usd

__all__ = [
    "cache_key",
    "canonical_json",
    "ceiling_usd",
    "charged_tokens",
    "charged_usd",
    "cost_usd",
    "plan_fingerprint",
    "window_end",
    "window_start",
]
