"""Which configuration of model servers is meant, without its keys."""

from collections.abc import Sequence
from typing import Any

from dossier.ai.rules.fingerprints import cache_key


def plan_fingerprint(servers: Sequence[dict[str, Any]]) -> str:
    """Return the digest of hosts and models; another configuration, another digest."""
    return cache_key(servers=list(servers))
