"""Vocabulary of outside sources."""

from typing import Final, Literal

Mode = Literal["offline", "cache", "live"]

MODE_SETTING: Final = "DOSSIER_SOURCES__MODE"
CENTRAL_SETTING: Final = "DOSSIER_KNOWLEDGE__CENTRAL_URL"

CREATE_BASE_TASK: Final = "sources.create_base"

MAX_BODY_BYTES: Final = 16 * 1024 * 1024
"""Longer answers are not kept."""

MAX_BASES: Final = 200
"""Knowledge bases that one search may ask: those of the newest products."""

MAX_FILLED: Final = 500
"""Missing bases that are queued at a time."""

CENTRAL_HOST: Final = "central-retrieval"
CENTRAL_EVERY_S: Final = 0.1
"""How fast bases are made, by all workers together."""
