"""The declarative base, mixins and naming convention of all tables."""

import importlib
import importlib.util
import pkgutil
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import uuid_utils.compat
from sqlalchemy import DateTime, MetaData, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    mapped_column,
)
from sqlalchemy.schema import SchemaItem

import dossier
from dossier.core.clock import now

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def new_id() -> UUID:
    """Return a UUIDv7: ordered by time, so that indexes stay small."""
    return uuid_utils.compat.uuid7()


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    """The declarative base of all tables."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        UUID: Uuid(),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        list[str]: JSONB,
        list[dict[str, Any]]: JSONB,
    }


class Identified(MappedAsDataclass, kw_only=True):
    """A row with its own key and the instant it was made."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default_factory=new_id)
    created_at: Mapped[datetime] = mapped_column(default_factory=now)


class TenantOwned(MappedAsDataclass, kw_only=True):
    """A row of one organisation; its table is under row-level security."""

    org_id: Mapped[UUID]


def tenant_args(*args: SchemaItem) -> tuple[SchemaItem, ...]:
    """Return `__table_args__` with the key that composite references need."""
    return (UniqueConstraint("org_id", "id"), *args)


def load_models() -> None:
    """Import every `dossier.<domain>.models`, so that the metadata are complete."""
    for module in pkgutil.iter_modules(dossier.__path__, "dossier."):
        name = f"{module.name}.models"
        if module.ispkg and importlib.util.find_spec(name) is not None:
            importlib.import_module(name)
