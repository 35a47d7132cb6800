"""Papers are taken in one by one; what cannot be read is named, others go on."""

import asyncio
from pathlib import Path
from uuid import UUID

import pytest
from tests.conftest import DrainJobs
from tests.factories.products import MINIMAL

from dossier.cli.builder.errors import UnusableInputError
from dossier.cli.builder.facts import Extras, Facts
from dossier.cli.builder.folder import Paper, Refusal
from dossier.cli.builder.intake import Stored, read_papers, require_legible, take_in
from dossier.cli.builder.outcome import TakenPaper
from dossier.cli.builder.progress import Stages
from dossier.cli.builder.waiting import JobWatch
from dossier.cli.builder.workshop import Workshop
from dossier.core.database import SessionFactory
from dossier.core.settings import Settings
from dossier.core.tenancy import Actor
from dossier.products.schemas import ProductCreate


@pytest.fixture
def workshop(settings: Settings, sessions: SessionFactory, actor: Actor) -> Workshop:
    watch = JobWatch(sessions, actor, asyncio.Event())
    return Workshop(settings, sessions, actor, watch)


def paper(folder: Path, name: str, content: bytes) -> Paper:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return Paper(name, path)


async def take(
    workshop: Workshop, *papers: Paper
) -> tuple[list[Stored], dict[str, str]]:
    with Stages(None).stage("taking in") as step:
        stored, refused = await take_in(workshop, papers, step)
    return stored, {entry.name: entry.reason for entry in refused}


async def filename_of(workshop: Workshop, document_id: UUID) -> str:
    async with workshop.transaction() as session:
        return (await workshop.documents(session).get_document(document_id)).filename


async def test_a_paper_becomes_a_document_that_is_to_be_read(
    workshop: Workshop, tmp_path: Path
) -> None:
    [stored], refused = await take(workshop, paper(tmp_path, "a/標籤.txt", b"label"))

    assert not refused
    assert not stored.is_known
    assert stored.job_id is not None
    assert await filename_of(workshop, stored.document_id) == "標籤.txt"


async def test_the_same_bytes_are_one_document(
    workshop: Workshop, tmp_path: Path
) -> None:
    [first, second], _ = await take(
        workshop, paper(tmp_path, "a.txt", b"label"), paper(tmp_path, "b.txt", b"label")
    )

    assert second.is_known
    assert first.document_id == second.document_id


async def test_a_document_never_read_is_read_by_the_next_build(
    workshop: Workshop, tmp_path: Path
) -> None:
    label = paper(tmp_path, "a.txt", b"label")
    [first], _ = await take(workshop, label)

    [again], _ = await take(workshop, label)

    assert again.job_id == first.job_id is not None


async def test_a_file_that_vanished_is_named_and_others_go_on(
    workshop: Workshop, tmp_path: Path
) -> None:
    gone = Paper("gone.pdf", tmp_path / "gone.pdf")

    stored, refused = await take(workshop, gone, paper(tmp_path, "a.txt", b"label"))

    assert [entry.paper.name for entry in stored] == ["a.txt"]
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

    stored, refused = await take(Workshop(small, sessions, actor, watch), huge)

    assert not stored
    assert refused == {"huge.pdf": "larger than 1 MiB"}
    assert not [path for path in (settings.home / "blobs").rglob("*") if path.is_file()]


async def read(
    workshop: Workshop, drain_jobs: DrainJobs, *papers: Paper
) -> list[TakenPaper]:
    stored, _ = await take(workshop, *papers)
    await drain_jobs()
    with Stages(None).stage("reading") as step:
        return await read_papers(workshop, stored, step)


def facts(*evidence: str) -> Facts:
    entries = [{"file": name, "item": 4} for name in evidence]
    product = ProductCreate.model_validate(MINIMAL)
    return Facts(product, Extras.model_validate({"evidence": entries}))


JUNK = bytes(range(256)) * 4
PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(32)


@pytest.mark.process  # papers are read in a process of their own
async def test_a_folder_in_which_nothing_can_be_read_is_refused_file_by_file(
    workshop: Workshop, drain_jobs: DrainJobs, tmp_path: Path
) -> None:
    taken = await read(workshop, drain_jobs, paper(tmp_path, "a.bin", JUNK))

    with pytest.raises(UnusableInputError) as caught:
        require_legible(tmp_path, facts(), taken, [Refusal("b.pdf", "empty")])

    [reason] = caught.value.reasons
    assert "no file in this folder can be read" in reason
    assert "\n  a.bin: kept but not read" in reason
    assert "\n  b.pdf: empty" in reason


@pytest.mark.process  # papers are read in a process of their own
async def test_a_paper_a_scan_or_a_word_of_the_owner_is_enough(
    workshop: Workshop, drain_jobs: DrainJobs, tmp_path: Path
) -> None:
    junk = paper(tmp_path, "a.bin", JUNK)
    [unread, scan, label] = await read(
        workshop,
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
    workshop: Workshop, drain_jobs: DrainJobs, tmp_path: Path
) -> None:
    label = paper(tmp_path, "label.txt", b"label")
    [stored], _ = await take(workshop, label)
    async with workshop.transaction() as session:
        document = await workshop.documents(session).get_document(stored.document_id)
    await workshop.store.delete(document.blob_key)
    await drain_jobs()

    [again] = await read(workshop, drain_jobs, label)

    assert again.unreadable is None
