import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from tests.factories.documents import make_stored_document

from dossier.core.clock import now
from dossier.core.database import SessionFactory
from dossier.core.settings import Settings
from dossier.documents.blobs import sweep_blobs
from dossier.integrations.storage.client import ObjectStore, open_store


@pytest.fixture
def store(settings: Settings) -> ObjectStore:
    return open_store(None, settings.home)


async def pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content


def made_old(home: Path) -> None:
    long_ago = (now() - timedelta(days=2)).timestamp()
    for path in (home / "blobs").rglob("*"):
        os.utime(path, (long_ago, long_ago))


async def kept(store: ObjectStore) -> set[str]:
    return {each.key async for each in store.list_keys("")}


async def test_old_bytes_without_a_document_are_deleted(
    sessions: SessionFactory, org_id: UUID, settings: Settings, store: ObjectStore
) -> None:
    document = await make_stored_document(sessions, org_id, settings, b"known")
    await store.write(f"documents/{org_id}", pieces(b"orphan"))
    report = await store.write("reports", pieces(b"not ours to sweep"))
    (settings.home / "blobs" / "passing").mkdir(exist_ok=True)
    (settings.home / "blobs" / "passing" / "cut-off#1").write_bytes(b"half")
    made_old(settings.home)

    await sweep_blobs(sessions, store)

    assert await kept(store) == {document.blob_key, report.key}
    assert list((settings.home / "blobs" / "passing").iterdir()) == []


async def test_young_bytes_without_a_document_are_kept(
    sessions: SessionFactory, store: ObjectStore
) -> None:
    young = await store.write("documents/org", pieces(b"just now"))

    await sweep_blobs(sessions, store)

    assert await kept(store) == {young.key}
