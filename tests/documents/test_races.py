"""Bytes that are deleted while the same bytes come again, on real connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import async_sessionmaker
from tests.factories.accounts import make_organisation
from typing_extensions import override

from dossier.core.database import (
    Session,
    SessionFactory,
    tenant_transaction,
)
from dossier.core.models import new_id
from dossier.core.tenancy import Actor
from dossier.documents.blobs import discard_duplicate, store_upload
from dossier.documents.models import Document
from dossier.documents.service import DocumentsService
from dossier.documents.tasks import delete_blob
from dossier.documents.types import Receipt, ReceivedFile
from dossier.integrations.storage.client import ObjectStore
from dossier.jobs.context import JobContext

BYTES = b"Shelf life: 36 months."


@pytest.fixture
async def org(committing: SessionFactory) -> UUID:
    return await make_organisation(committing, id=new_id(), name="Rose")


class HeldStore(ObjectStore):
    """A folder whose deletions begin, tell it, and wait until they may go on."""

    reached: asyncio.Event
    may_go_on: asyncio.Event

    @override
    async def delete(self, key: str) -> None:
        self.reached.set()
        await self.may_go_on.wait()
        await super().delete(key)


@pytest.fixture
def store(tmp_path: Path) -> HeldStore:
    store = HeldStore.local(tmp_path / "blobs")
    store.reached, store.may_go_on = asyncio.Event(), asyncio.Event()
    return store


class Run:
    """As much of a job's run as the deletion of bytes takes."""

    def __init__(self, sessions: SessionFactory) -> None:
        self.sessions = sessions


@asynccontextmanager
async def service_of(
    sessions: SessionFactory, org: UUID
) -> AsyncIterator[DocumentsService]:
    async with tenant_transaction(sessions, org) as session:
        yield DocumentsService(session, Actor.system(org))


async def arrive(store: ObjectStore, org: UUID) -> ReceivedFile:
    """Store the bytes, as an upload does before its transaction."""

    async def pieces() -> AsyncIterator[bytes]:
        yield BYTES

    return await store_upload(store, org, pieces(), lambda: "paper.txt")


async def register(
    sessions: SessionFactory, org: UUID, received: ReceivedFile
) -> Receipt:
    async with service_of(sessions, org) as documents:
        return await documents.receive(received)


async def upload(sessions: SessionFactory, store: ObjectStore, org: UUID) -> Document:
    return (await register(sessions, org, await arrive(store, org))).document


async def remove(sessions: SessionFactory, org: UUID, document: Document) -> None:
    async with service_of(sessions, org) as documents:
        await documents.remove_document(document.id)


def deletion(
    sessions: SessionFactory, store: ObjectStore, key: str
) -> asyncio.Task[None]:
    ctx = cast("JobContext", Run(sessions))
    return asyncio.create_task(delete_blob(ctx, key, store=store))


async def kept(store: ObjectStore) -> set[str]:
    return {each.key async for each in store.list_keys("documents")}


async def test_bytes_uploaded_between_query_and_deletion_are_kept(
    committing: SessionFactory, org: UUID, store: HeldStore
) -> None:
    old = await upload(committing, store, org)
    await remove(committing, org, old)

    job = deletion(committing, store, old.blob_key)
    await store.reached.wait()  # it has looked, and found nobody
    new = await upload(committing, store, org)
    store.may_go_on.set()
    await job

    assert new.sha256 == old.sha256
    assert await kept(store) == {new.blob_key}


async def test_bytes_without_a_row_yet_are_kept_by_the_deletion(
    committing: SessionFactory, org: UUID, store: HeldStore
) -> None:
    old = await upload(committing, store, org)
    await remove(committing, org, old)

    received = await arrive(store, org)
    store.may_go_on.set()
    await deletion(committing, store, old.blob_key)
    receipt = await register(committing, org, received)

    assert not receipt.duplicate
    assert await kept(store) == {receipt.document.blob_key}


async def test_upload_waits_for_the_end_of_a_deletion(
    committing: SessionFactory, org: UUID, store: HeldStore
) -> None:
    store.may_go_on.set()
    old = await upload(committing, store, org)
    received = await arrive(store, org)

    async with tenant_transaction(committing, org) as session:
        documents = DocumentsService(session, Actor.system(org))
        await documents.remove_document(old.id)
        coming = asyncio.create_task(register(committing, org, received))
        waiting = text("select count(*) from pg_locks where not granted")
        while not await session.scalar(waiting):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.005)
    receipt = await coming
    await deletion(committing, store, old.blob_key)

    assert not receipt.duplicate
    assert await kept(store) == {receipt.document.blob_key}


async def test_document_deleted_during_an_upload_of_its_bytes_is_inserted_again(
    committing: SessionFactory, org: UUID, store: HeldStore
) -> None:
    old = await upload(committing, store, org)
    received = await arrive(store, org)
    looks = 0

    class Interrupted(Session):
        """Between its first two statements the document is deleted elsewhere."""

        @override
        async def scalars(self, *args: Any, **options: Any) -> Any:
            nonlocal looks
            looks += 1
            if looks == 2:
                await remove(committing, org, old)
            return await super().scalars(*args, **options)

    between: SessionFactory = async_sessionmaker(
        class_=Interrupted, **{k: v for k, v in committing.kw.items() if k != "class_"}
    )
    receipt = await register(between, org, received)

    assert looks > 2
    assert not receipt.duplicate
    assert receipt.document.blob_key == received.blob_key


@pytest.mark.parametrize("damage", ["gone", "cut off"])
async def test_damaged_bytes_are_replaced_by_a_repeated_upload(
    committing: SessionFactory, org: UUID, store: HeldStore, damage: str
) -> None:
    store.may_go_on.set()
    document = await upload(committing, store, org)
    if damage == "gone":
        await store.delete(document.blob_key)
    else:
        async with store.as_file(document.blob_key) as path:
            path.write_bytes(BYTES[:5])

    receipt = await register(committing, org, received := await arrive(store, org))
    await discard_duplicate(committing, store, receipt.document, received.blob_key)

    assert receipt.duplicate
    async with service_of(committing, org) as documents:
        mended = await documents.get_document(document.id)
    async with store.as_file(mended.blob_key) as path:
        assert path.read_bytes() == BYTES


async def test_bytes_of_a_repeated_upload_are_deleted(
    committing: SessionFactory, org: UUID, store: HeldStore
) -> None:
    store.may_go_on.set()
    document = await upload(committing, store, org)

    receipt = await register(committing, org, received := await arrive(store, org))
    await discard_duplicate(committing, store, receipt.document, received.blob_key)

    assert receipt.document.id == document.id
    assert await kept(store) == {document.blob_key}
