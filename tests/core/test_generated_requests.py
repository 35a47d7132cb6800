"""Schemathesis over a served installation; `make fuzz` sends many more requests."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "fuzz_api.py"


@pytest.mark.process
@pytest.mark.slow  # starts an installation and sends about a thousand requests
def test_boundary_values_break_neither_schema_nor_server() -> None:
    command = [sys.executable, str(SCRIPT), "--roles", "editor"]
    command += ["--only", r"^/api/v1/(products|documents)(/[^/]+)?$"]

    ended = subprocess.run(  # noqa: S603 - our own script
        command, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 0, ended.stdout[-6000:]
    assert json.loads(ended.stdout.splitlines()[-1]) == {"exit_codes": {"editor": 0}}
