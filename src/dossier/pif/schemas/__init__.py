"""Requests, responses and the snapshot of the product information file."""

from dossier.pif.schemas.snapshot import PifSnapshot as PifSnapshot
