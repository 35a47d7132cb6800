"""Conditions on many ids at once."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import CollectionAggregate, Uuid, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY


def any_of(ids: Sequence[UUID]) -> CollectionAggregate[bool]:
    """Return what a column equals where it is one of these ids."""
    # One parameter, however many there are; the protocol counts them in 16 bits.
    return any_(literal(list(ids), ARRAY(Uuid)))
