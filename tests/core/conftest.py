"""Fixtures of the tests that sweep over all routes."""

from uuid import UUID

import pytest
from tests.core.openapi_samples import Document, id_names, maker_of

from dossier.core.database import SessionFactory


@pytest.fixture
async def known_ids(
    sessions: SessionFactory, org_id: UUID, document: Document
) -> dict[str, str]:
    """One of everything, owned by the first organisation."""
    ids = {}
    for name in sorted(id_names(document)):
        make = maker_of(name)
        if make is not None:
            row = await make(sessions, org_id)
            ids[name] = str(getattr(row, "id", row))
    return ids
