"""Use cases of outside sources: stored answers, turns, the central service."""

from dossier.sources.service.central import CentralHit, CentralRetrieval
from dossier.sources.service.rates import SourceRates
from dossier.sources.service.store import Fetched, NotAsked, Request, SourceStore

__all__ = [
    "CentralHit",
    "CentralRetrieval",
    "Fetched",
    "NotAsked",
    "Request",
    "SourceRates",
    "SourceStore",
]
