"""The names that `dossier.runs` still imports; goes with it."""

from dossier.core.reconnect import is_lost, retry_until_connected

outlast = retry_until_connected

__all__ = ["is_lost", "outlast"]
