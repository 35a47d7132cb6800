import asyncio
import ctypes
import json
import os
import socket
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from tests.integrations.parsing import hostile, late_imports, probe
from tests.integrations.parsing.seeds import SEEDS

from dossier.integrations.parsing.containment import (
    REQUIRED,
    Layer,
    layers_in_force,
)
from dossier.integrations.parsing.documents import read_document
from dossier.integrations.parsing.reader import Limits, SandboxedReader, run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="layers of Linux")

PROBE = f"{probe.__name__}:attempt_all"
ALLOWED_OTHERWISE = {
    "read the secret",
    "read it by openat2",
    "see that it is there",
    "change its mode",
    "list the folder",
    "read /proc/self/environ",
    "read the environment of the parent",
    "read the environment of the worker",
    "signal the parent",
    "signal the worker",
    "connect to the database's socket",
    "connect to a port of this machine",
    "open a socket of any family",
    "write a new file",
    "make a folder",
    "start a program",
    "map new machine code",
}
"""What any process may do without containment, whoever runs the tests."""


NEVER_CALLED = frozenset(
    (  # noqa: SIM905 - one word a line would fill a page
        # Other systems, start-up, command lines; packages looked for and not needed.
        "_ios_support _winapi _winreg winreg java.lang nt vms_lib plistlib"
        " _pyrepl.main _pyrepl.readline _pyrepl.unix_console readline rlcompleter pydoc"
        " sitecustomize usercustomize getopt py_compile pickle tarfile"
        " encodings.mbcs importlib.metadata importlib.readers asyncio.coroutines gc"
        " grp pwd numpy tabulate doctest"
        # Hashes without OpenSSL; messages of errors and warnings, which do without.
        " _md5 _sha1 _sha2 _sha256 _sha3 _tokenize _suggestions tracemalloc"
        # Pictures and metadata of PDF files, writing of mails, dates in words.
        " PIL PIL.Image PIL.ImageCms PIL.TiffTags lxml lxml.etree email.generator"
        " calendar _strptime"
    ).split()
)
"""Late imports in what readers load (Python 3.11 to 3.13), in code that none calls."""


@pytest.fixture
def targets(tmp_path: Path) -> Iterator[probe.Targets]:
    secret = tmp_path / "secret.key"
    secret.write_text("the server's secret", "utf-8")
    held = ctypes.create_string_buffer(b"password")
    with socket.socket(socket.AF_UNIX) as local, socket.socket() as tcp:
        local.bind(str(tmp_path / ".s.PGSQL.5432"))
        tcp.bind(("127.0.0.1", 0))
        for each in (local, tcp):
            each.listen()
        yield probe.Targets(
            secret=str(secret),
            socket=str(tmp_path / ".s.PGSQL.5432"),
            port=tcp.getsockname()[1],
            folder=str(tmp_path),
            worker=os.getpid(),
            address=ctypes.addressof(held),
        )


async def test_a_reader_that_is_taken_over_can_do_nothing(
    targets: probe.Targets,
) -> None:
    ended = await run(PROBE, targets.secret, dict[str, str], options=asdict(targets))

    assert {name: how for name, how in ended.items() if how == probe.WORKED} == {}


async def test_the_same_attempts_work_without_containment(
    targets: probe.Targets,
) -> None:
    """Otherwise the test above would show nothing."""
    # In a mount namespace where that is allowed, so that its mounts are not ours.
    script = (
        "import ctypes, runpy; ctypes.CDLL(None).unshare(0x20000);"
        f" runpy.run_module({probe.__name__!r}, run_name='__main__')"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script, json.dumps(asdict(targets))),
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    ended = json.loads(out)

    assert {name for name in ALLOWED_OTHERWISE if ended[name] != probe.WORKED} == set()


async def test_this_kernel_has_all_that_can_be_required(
    targets: probe.Targets,
) -> None:
    layers = await run(
        f"{layers_in_force.__module__}:{layers_in_force.__name__}",
        targets.secret,
        list[Layer],
        limits=Limits(requires_containment=True),
    )

    assert set(layers) >= REQUIRED


async def test_nothing_is_read_where_a_required_layer_is_refused(
    targets: probe.Targets,
) -> None:
    refusal = await run(f"{hostile.__name__}:contain_again", targets.secret, str)

    assert "system calls, Landlock" in refusal
    assert "PARSE_CONTAINMENT" in refusal


async def test_nothing_that_readers_load_imports_more_when_they_read() -> None:
    """A contained reader opens no module: what is new here is to be looked into."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", late_imports.__name__),
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()

    assert set(out.decode().split()) - NEVER_CALLED == set()


@pytest.mark.parametrize("name", SEEDS)
async def test_a_contained_reader_reads_what_one_without_containment_reads(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(SEEDS[name])

    text = await SandboxedReader(Limits()).read(path, name)

    with path.open("rb") as file:
        assert text == read_document(file, filename=name)
