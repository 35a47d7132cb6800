"""Papers are taken in one by one; what cannot be read is named, others go on."""

import asyncio
from pathlib import Path
from uuid import UUID

import pytest
from tests.conftest import DrainJobs
from tests.factories.products import MINIMAL

from dossier.cli.builder.errors import UnusableInputError
from dossier.cli.builder.facts import Extras, Facts
from dossier.cli.builder.intake import read_documents, require_legible, store_files
from dossier.cli.builder.terminal import Stages
from dossier.cli.builder.types import (
    FolderFile,
    ImportedDocument,
    RefusedFile,
    StoredFile,
)
from dossier.cli.builder.waiting import JobWatch
from dossier.cli.builder.workshop import BuildContext
from dossier.core.database import SessionFactory
from dossier.core.settings import Settings
from dossier.core.tenancy import Actor
from dossier.products.schemas import ProductCreate


@pytest.fixture
def context(settings: Settings, sessions: SessionFactory, actor: Actor) -> BuildContext:
    watch = JobWatch(sessions, actor, asyncio.Event())
    return BuildContext(settings, sessions, actor, watch)


def paper(folder: Path, name: str, content: bytes) -> FolderFile:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return FolderFile(name, path)


async def take(
    context: BuildContext, *papers: FolderFile
) -> tuple[list[StoredFile], dict[str, str]]:
    with Stages(None).stage("taking in") as step:
        stored, refused = await store_files(context, papers, step)
    return stored, {entry.name: entry.reason for entry in refused}


async def filename_of(context: BuildContext, document_id: UUID) -> str:
    async with context.transaction() as session:
        return (await context.documents(session).get_document(document_id)).filename


async def test_a_paper_becomes_a_document_that_is_to_be_read(
    context: BuildContext, tmp_path: Path
) -> None:
    [stored], refused = await take(context, paper(tmp_path, "a/標籤.txt", b"label"))

    assert not refused
    assert not stored.is_duplicate
    assert stored.job_id is not None
    assert await filename_of(context, stored.document_id) == "標籤.txt"


async def test_the_same_bytes_are_one_document(
    context: BuildContext, tmp_path: Path
) -> None:
    [first, second], _ = await take(
        context, paper(tmp_path, "a.txt", b"label"), paper(tmp_path, "b.txt", b"label")
    )

    assert second.is_duplicate
    assert first.document_id == second.document_id


async def test_a_document_never_read_is_read_by_the_next_build(
    context: BuildContext, tmp_path: Path
) -> None:
    label = paper(tmp_path, "a.txt", b"label")
    [first], _ = await take(context, label)

    [again], _ = await take(context, label)

    assert again.job_id == first.job_id is not None


async def test_a_file_that_vanished_is_named_and_others_go_on(
    context: BuildContext, tmp_path: Path
) -> None:
    gone = FolderFile("gone.pdf", tmp_path / "gone.pdf")

    stored, refused = await take(context, gone, paper(tmp_path, "a.txt", b"label"))

    assert [entry.file.name for entry in stored] == ["a.txt"]
    assert refused == {"gone.pdf": "cannot be read: No such file or directory"}


async def test_a_file_above_the_limit_is_named_and_not_kept(
    settings: Settings, sessions: SessionFactory, actor: Actor, tmp_path: Path
) -> None:
    limits = settings.limits.model_copy(update={"max_upload_mib": 1})
    small = settings.model_copy(update={"limits": limits})
    watch = JobWatch(sessions, actor, asyncio.Event())
    huge = paper(tmp_path, "huge.pdf", b"")
    with huge.path.open("wb") as file:
        file.truncate(2 * 1024**3)  # sparse: it takes no space

    stored, refused = await take(BuildContext(small, sessions, actor, watch), huge)

    assert not stored
    assert refused == {"huge.pdf": "larger than 1 MiB"}
    assert not [path for path in (settings.home / "blobs").rglob("*") if path.is_file()]


async def read(
    context: BuildContext, drain_jobs: DrainJobs, *papers: FolderFile
) -> list[ImportedDocument]:
    stored, _ = await take(context, *papers)
    await drain_jobs()
    with Stages(None).stage("reading") as step:
        return await read_documents(context, stored, step)


def facts(*evidence: str) -> Facts:
    entries = [{"file": name, "item": 4} for name in evidence]
    product = ProductCreate.model_validate(MINIMAL)
    return Facts(product, Extras.model_validate({"evidence": entries}))


JUNK = bytes(range(256)) * 4
PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(32)


@pytest.mark.process  # papers are read in a process of their own
async def test_a_folder_in_which_nothing_can_be_read_is_refused_file_by_file(
    context: BuildContext, drain_jobs: DrainJobs, tmp_path: Path
) -> None:
    taken = await read(context, drain_jobs, paper(tmp_path, "a.bin", JUNK))

    with pytest.raises(UnusableInputError) as caught:
        require_legible(tmp_path, facts(), taken, [RefusedFile("b.pdf", "empty")])

    [reason] = caught.value.reasons
    assert "no file in this folder can be read" in reason
    assert "\n  a.bin: kept but not read" in reason
    assert "\n  b.pdf: empty" in reason


@pytest.mark.process  # papers are read in a process of their own
async def test_a_paper_a_scan_or_a_word_of_the_owner_is_enough(
    context: BuildContext, drain_jobs: DrainJobs, tmp_path: Path
) -> None:
    junk = paper(tmp_path, "a.bin", JUNK)
    [unread, scan, label] = await read(
        context,
        drain_jobs,
        junk,
        paper(tmp_path, "photo.png", PIXEL),
        paper(tmp_path, "label.txt", b"label"),
    )

    require_legible(tmp_path, facts("a.bin"), [unread], [])
    require_legible(tmp_path, facts(), [unread, scan], [])
    require_legible(tmp_path, facts(), [unread, label], [])


@pytest.mark.process  # papers are read in a process of their own
async def test_a_paper_whose_bytes_were_missing_is_read_when_they_are_there_again(
    context: BuildContext, drain_jobs: DrainJobs, tmp_path: Path
) -> None:
    label = paper(tmp_path, "label.txt", b"label")
    [stored], _ = await take(context, label)
    async with context.transaction() as session:
        document = await context.documents(session).get_document(stored.document_id)
    await context.store.delete(document.blob_key)
    await drain_jobs()

    [again] = await read(context, drain_jobs, label)

    assert again.unreadable is None
