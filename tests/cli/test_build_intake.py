"""Files are stored one by one; one that cannot be read is named, others go on."""

from pathlib import Path
from uuid import UUID

import pytest
from tests.conftest import DrainJobs
from tests.factories.products import MINIMAL

from dossier.cli.builder.context import BuildContext
from dossier.cli.builder.facts import Extras, StatedFacts
from dossier.cli.builder.intake import read_documents, require_legible, store_files
from dossier.cli.builder.terminal import Stages
from dossier.cli.builder.types import (
    FolderFile,
    ImportedDocument,
    RefusedFile,
    StoredFile,
    UnusableInputError,
)
from dossier.core.database import SessionFactory
from dossier.core.settings import Settings
from dossier.core.tenancy import Actor
from dossier.jobs.follower import JobFollower
from dossier.products.schemas import ProductCreate


@pytest.fixture
def context(settings: Settings, sessions: SessionFactory, actor: Actor) -> BuildContext:
    follower = JobFollower(sessions, "postgresql://")
    return BuildContext(settings, sessions, actor, follower)


def make_file(folder: Path, name: str, content: bytes) -> FolderFile:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return FolderFile(name, path)


async def store(
    context: BuildContext, *files: FolderFile
) -> tuple[list[StoredFile], dict[str, str]]:
    with Stages(None).stage("taking in") as step:
        stored, refused = await store_files(context, files, step)
    return stored, {entry.name: entry.reason for entry in refused}


async def filename_of(context: BuildContext, document_id: UUID) -> str:
    async with context.transaction() as session:
        return (await context.documents(session).get_document(document_id)).filename


async def test_stored_file_becomes_a_document_with_a_reading_job(
    context: BuildContext, tmp_path: Path
) -> None:
    [stored], refused = await store(
        context, make_file(tmp_path, "a/標籤.txt", b"label")
    )

    assert not refused
    assert not stored.is_duplicate
    assert stored.job_id is not None
    assert await filename_of(context, stored.document_id) == "標籤.txt"


async def test_files_with_equal_bytes_become_one_document(
    context: BuildContext, tmp_path: Path
) -> None:
    [first, second], _ = await store(
        context,
        make_file(tmp_path, "a.txt", b"label"),
        make_file(tmp_path, "b.txt", b"label"),
    )

    assert second.is_duplicate
    assert first.document_id == second.document_id


async def test_document_never_read_is_read_by_the_next_build(
    context: BuildContext, tmp_path: Path
) -> None:
    label = make_file(tmp_path, "a.txt", b"label")
    [first], _ = await store(context, label)

    [again], _ = await store(context, label)

    assert again.job_id == first.job_id is not None


async def test_removed_file_is_named_and_others_go_on(
    context: BuildContext, tmp_path: Path
) -> None:
    gone = FolderFile("gone.pdf", tmp_path / "gone.pdf")

    stored, refused = await store(context, gone, make_file(tmp_path, "a.txt", b"label"))

    assert [entry.file.name for entry in stored] == ["a.txt"]
    assert refused == {"gone.pdf": "cannot be read: No such file or directory"}


async def test_file_above_the_limit_is_named_and_not_stored(
    settings: Settings, sessions: SessionFactory, actor: Actor, tmp_path: Path
) -> None:
    limits = settings.limits.model_copy(update={"max_upload_mib": 1})
    small = settings.model_copy(update={"limits": limits})
    follower = JobFollower(sessions, "postgresql://")
    huge = make_file(tmp_path, "huge.pdf", b"")
    with huge.path.open("wb") as file:
        file.truncate(2 * 1024**3)  # sparse: it takes no space

    stored, refused = await store(BuildContext(small, sessions, actor, follower), huge)

    assert not stored
    assert refused == {"huge.pdf": "larger than 1 MiB"}
    assert not [path for path in (settings.home / "blobs").rglob("*") if path.is_file()]


async def read(
    context: BuildContext, drain_jobs: DrainJobs, *files: FolderFile
) -> list[ImportedDocument]:
    stored, _ = await store(context, *files)
    await drain_jobs()
    with Stages(None).stage("reading") as step:
        return await read_documents(context, stored, step)


def facts(*evidence: str) -> StatedFacts:
    entries = [{"file": name, "item": 4} for name in evidence]
    product = ProductCreate.model_validate(MINIMAL)
    return StatedFacts(product, Extras.model_validate({"evidence": entries}))


JUNK = bytes(range(256)) * 4
PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(32)


@pytest.mark.process  # documents are read in a process of their own
async def test_folder_without_a_readable_file_is_refused_naming_each(
    context: BuildContext, drain_jobs: DrainJobs, tmp_path: Path
) -> None:
    taken = await read(context, drain_jobs, make_file(tmp_path, "a.bin", JUNK))

    with pytest.raises(UnusableInputError) as caught:
        require_legible(tmp_path, facts(), taken, [RefusedFile("b.pdf", "empty")])

    [reason] = caught.value.reasons
    assert "no file in this folder can be read" in reason
    assert "\n  a.bin: kept but not read" in reason
    assert "\n  b.pdf: empty" in reason


@pytest.mark.process  # documents are read in a process of their own
async def test_one_document_one_scan_or_one_statement_is_enough(
    context: BuildContext, drain_jobs: DrainJobs, tmp_path: Path
) -> None:
    junk = make_file(tmp_path, "a.bin", JUNK)
    [unread, scan, label] = await read(
        context,
        drain_jobs,
        junk,
        make_file(tmp_path, "photo.png", PIXEL),
        make_file(tmp_path, "label.txt", b"label"),
    )

    require_legible(tmp_path, facts("a.bin"), [unread], [])
    require_legible(tmp_path, facts(), [unread, scan], [])
    require_legible(tmp_path, facts(), [unread, label], [])


@pytest.mark.process  # documents are read in a process of their own
async def test_document_with_missing_bytes_is_read_when_they_are_stored_again(
    context: BuildContext, drain_jobs: DrainJobs, tmp_path: Path
) -> None:
    label = make_file(tmp_path, "label.txt", b"label")
    [stored], _ = await store(context, label)
    async with context.transaction() as session:
        document = await context.documents(session).get_document(stored.document_id)
    await context.store.delete(document.blob_key)
    await drain_jobs()

    [again] = await read(context, drain_jobs, label)

    assert again.unreadable is None
