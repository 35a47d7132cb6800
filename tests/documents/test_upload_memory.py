import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MIB = 1024 * 1024


@pytest.mark.slow(reason="a process of its own, for its peak of memory is not shared")
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.documents.upload_memory", str(tmp_path)]

    done = subprocess.run(  # noqa: S603 - our own module
        [*command, str(96 * MIB)], cwd=ROOT, capture_output=True, text=True, check=True
    )

    size_bytes, grown_mib = done.stdout.split()
    assert int(size_bytes) == 96 * MIB
    assert float(grown_mib) < 40
