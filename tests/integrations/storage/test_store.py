import resource
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from dossier.core.clock import now
from dossier.integrations.storage.client import ObjectStore, open_store
from dossier.integrations.storage.exceptions import (
    BlobMissingError,
    StorageUnavailableError,
)

MIB = 1024 * 1024


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    return ObjectStore.local(tmp_path / "blobs")


@pytest.fixture(params=["local", "remote"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """The folder as such, and through the paths that a bucket takes."""
    if request.param == "local":
        return ObjectStore.local(tmp_path)
    return ObjectStore.remote("memory:///")


async def pieces(*contents: bytes) -> AsyncIterator[bytes]:
    for content in contents:
        yield content


async def read(store: ObjectStore, key: str, *part: int) -> bytes:
    return b"".join([piece async for piece in store.read(key, *part)])


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def keys(store: ObjectStore) -> set[str]:
    return {each.key async for each in store.list_keys("")}


async def test_bytes_are_stored_under_their_digest(any_store: ObjectStore) -> None:
    digest = sha256(b"AquaGlycerin").hexdigest()

    blob = await any_store.write("org", pieces(b"Aqua", b"Glycerin"))

    assert (blob.sha256, blob.size_bytes) == (digest, 12)
    assert blob.key == f"org/{digest[:2]}/{digest}"
    assert await read(any_store, blob.key) == b"AquaGlycerin"
    assert await keys(any_store) == {blob.key}


async def test_bytes_written_apart_have_a_key_of_their_own(
    any_store: ObjectStore,
) -> None:
    one, other = [await any_store.write_apart("org", pieces(b"Aqua")) for _ in "ab"]

    await any_store.delete(one.key)

    assert one.sha256 == other.sha256
    assert await any_store.size_of(one.key) is None
    assert await any_store.size_of(other.key) == 4
    assert await read(any_store, other.key) == b"Aqua"


@pytest.mark.parametrize(
    ("part", "expected"),
    [((4,), b"Glycerin"), ((4, 6), b"Gl"), ((11, 99), b"n"), ((12, 12), b"")],
)
async def test_range_of_bytes_is_read(
    any_store: ObjectStore, part: tuple[int, ...], expected: bytes
) -> None:
    blob = await any_store.write("org", pieces(b"AquaGlycerin"))

    assert await read(any_store, blob.key, *part) == expected


def test_folder_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    ObjectStore.local(tmp_path / "blobs")

    assert (tmp_path / "blobs").stat().st_mode & 0o077 == 0


async def test_empty_blob_is_stored(any_store: ObjectStore) -> None:
    blob = await any_store.write("org", pieces())

    assert blob.size_bytes == 0
    assert await read(any_store, blob.key) == b""


async def test_writing_the_same_bytes_again_replaces_a_damaged_copy(
    store: ObjectStore, tmp_path: Path
) -> None:
    blob = await store.write("org", pieces(b"whole"))
    (tmp_path / "blobs" / blob.key).write_bytes(b"wh")

    await store.write("org", pieces(b"whole"))

    assert await read(store, blob.key) == b"whole"


async def test_blob_is_provided_as_a_file(any_store: ObjectStore) -> None:
    blob = await any_store.write("org", pieces(b"Aqua"))

    assert await any_store.has(blob.key)
    async with any_store.as_file(blob.key) as path:
        assert path.read_bytes() == b"Aqua"


async def test_deleting_twice_is_no_error(any_store: ObjectStore) -> None:
    blob = await any_store.write("org", pieces(b"Aqua"))
    await any_store.delete(blob.key)

    await any_store.delete(blob.key)

    assert await keys(any_store) == set()


async def test_missing_blob_raises_its_own_error(any_store: ObjectStore) -> None:
    assert not await any_store.has("org/aa/missing")
    with pytest.raises(BlobMissingError):
        await read(any_store, "org/aa/missing")
    with pytest.raises(BlobMissingError):
        async with any_store.as_file("org/aa/missing"):
            pass


async def test_interrupted_stream_stores_nothing(
    any_store: ObjectStore, tmp_path: Path
) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield bytes(6 * MIB)
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        await any_store.write("org", breaking())

    assert await keys(any_store) == set()
    assert files_in(tmp_path) == []


@pytest.fixture
def full_disk() -> Iterator[None]:
    """A disk that takes no file above 1 MiB, as a full one takes no more bytes."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


@pytest.mark.usefixtures("full_disk")
async def test_full_disk_is_named_and_nothing_is_stored(
    store: ObjectStore, tmp_path: Path
) -> None:
    kept = await store.write("org", pieces(b"earlier"))

    with pytest.raises(StorageUnavailableError) as caught:
        await store.write("org", pieces(bytes(8 * MIB)))

    assert str(tmp_path) not in caught.value.detail
    assert await keys(store) == {kept.key}
    assert await read(store, kept.key) == b"earlier"


async def test_incomplete_uploads_are_deleted(any_store: ObjectStore) -> None:
    kept = await any_store.write("org", pieces(b"Aqua"))
    blob = await any_store.write("passing", pieces(b"cut off"))

    await any_store.sweep_passing(now() - timedelta(hours=1))
    young = await keys(any_store)
    await any_store.sweep_passing(now() + timedelta(hours=1))

    assert young == {kept.key, blob.key}
    assert kept.key in await keys(any_store)


async def test_a_writable_store_passes_its_check(any_store: ObjectStore) -> None:
    await any_store.check_writable()

    assert await keys(any_store) == set()


async def test_a_store_that_cannot_be_written_fails_its_check(tmp_path: Path) -> None:
    store = ObjectStore.local(tmp_path / "blobs")
    (tmp_path / "blobs" / "passing").write_bytes(b"a file where a folder must be")

    with pytest.raises(StorageUnavailableError):
        await store.check_writable()


def test_an_unknown_kind_of_store_is_refused() -> None:
    with pytest.raises(StorageUnavailableError):
        open_store("gopher://bucket", Path("/nowhere"))
