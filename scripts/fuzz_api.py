"""Sends generated requests to every route, as each role and without a log-in.

Run by `make fuzz`. Serves a new installation in password mode and lets Schemathesis
check every answer against the OpenAPI document: no server error, no undeclared status,
type or header, no answer that breaks its schema, no request accepted that breaks its
own. Exit 1 on any fault.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

PASSWORD = "correct horse battery staple"  # noqa: S105 - of an installation that goes
ROLES = ("viewer", "assessor", "editor", "admin", "owner")
"""The owner last: only an owner can change the others."""
CONFIG = Path(__file__).with_name("schemathesis.toml")
LISTENING = re.compile(r"running on (http://\S+) ")


def dossier(home: Path, *words: str, stdin: str = "") -> str:
    """Run a command of the installation and return its last line."""
    ended = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "dossier", *words],
        env=_environment(home),
        input=stdin,
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout.split()[-1]


@contextmanager
def served(home: Path) -> Iterator[str]:
    """Serve the installation on a free port; yield its address."""
    command = [sys.executable, "-m", "dossier", "serve", "--port", "0"]
    log = home / "serve.log"
    with (
        log.open("w") as out,
        subprocess.Popen(command, env=_environment(home), stderr=out) as process,  # noqa: S603 - our own command
    ):
        try:
            yield _address(log, process)
        finally:
            process.terminate()


def _environment(home: Path) -> dict[str, str]:
    return os.environ | {
        "DOSSIER_HOME": str(home),
        "DOSSIER_AUTH__MODE": "password",
        "DOSSIER_LIMITS__REQUESTS_PER_MINUTE": "0",
        "DOSSIER_LIMITS__WRONG_PASSWORDS": "0",
    }


def _address(log: Path, process: "subprocess.Popen[bytes]") -> str:
    while process.poll() is None:
        found = LISTENING.search(log.read_text())
        if found:
            return found[1]
        time.sleep(0.1)
    raise SystemExit(log.read_text())


def fuzz(
    address: str, token: str | None, *, examples: int, seconds: int, only: str | None
) -> int:
    """Send generated requests; return Schemathesis's exit code.

    `only`: a regular expression of paths, which get the boundary values of each
    parameter and no random ones.
    """
    command = [
        str(Path(sys.executable).parent / "schemathesis"),
        *("--config-file", str(CONFIG), "run", f"{address}/openapi.json"),
        *("--max-examples", str(examples), "--max-time", str(seconds)),
        *("--continue-on-failure", "--warnings", "off"),
    ]
    # Without any credentials it would try to make an account first.
    command += ["-H", f"Authorization: Bearer {token or 'none'}"]
    if only is not None:
        command += ["--include-path-regex", only]
    if token is None or only is not None:
        command += ["--phases", "examples,coverage"]
    return subprocess.run(command, check=False).returncode  # noqa: S603 - our own


def log_in(address: str, email: str) -> str:
    """Return an access token."""
    answer = httpx2.post(
        f"{address}/api/v1/auth/login", json={"email": email, "password": PASSWORD}
    )
    answer.raise_for_status()
    token: str = answer.json()["access_token"]
    return token


def main() -> int:
    """Fuzz as everybody in turn; print one line of JSON at the end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=20, help="per operation")
    parser.add_argument("--seconds", type=int, default=240, help="per role, at most")
    parser.add_argument("--roles", nargs="*", default=["anonymous", *ROLES])
    parser.add_argument("--only", help="paths, a regular expression; no random values")
    chosen = parser.parse_args()
    ends: dict[str, int] = {}
    with tempfile.TemporaryDirectory(prefix="dossier-fuzz-") as folder:
        home = Path(folder)
        org_id = dossier(home, "create-org", "Fuzz")
        for role in filter(ROLES.__contains__, chosen.roles):
            words = ["create-user", f"{role}@example.com", "--org", org_id]
            words += ["--role", role, "--password-stdin"]
            dossier(home, *words, stdin=PASSWORD)
        with served(home) as address:
            for role in chosen.roles:
                is_member = role != "anonymous"
                token = log_in(address, f"{role}@example.com") if is_member else None
                ends[role] = fuzz(
                    address,
                    token,
                    examples=chosen.examples,
                    seconds=chosen.seconds,
                    only=chosen.only,
                )
    print(json.dumps({"exit_codes": ends}))
    return max(ends.values())


if __name__ == "__main__":
    sys.exit(main())
