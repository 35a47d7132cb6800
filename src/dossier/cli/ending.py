"""How commands that read one file end without an answer; `build` uses the same codes.

0 the command answered, also for an unreadable file; 1 it broke; 2 the arguments cannot
be used, or there is no such file. With `--json` the reasons stand on standard output
too, so that a program always gets one JSON document.
"""

from pathlib import Path
from typing import Final, NoReturn

import orjson
import typer

BROKEN: Final = 1
UNUSABLE: Final = 2


def end(command: str, code: int, reason: str, *, as_json: bool) -> NoReturn:
    """Print the reason and leave with the exit code."""
    if as_json:
        typer.echo(orjson.dumps({"errors": [reason]}, option=orjson.OPT_INDENT_2))
    typer.echo(f"dossier {command}: {reason}", err=True)
    raise typer.Exit(code)


def require_file(command: str, file: Path, *, as_json: bool) -> None:
    """Leave with `UNUSABLE` where a path is no file that can be opened."""
    try:
        if file.is_dir():
            end(command, UNUSABLE, f"{file}: is a directory", as_json=as_json)
        with file.open("rb"):
            return
    except FileNotFoundError:
        reason = "no such file"
    except (OSError, ValueError) as exc:  # also a name with a zero byte
        reason = getattr(exc, "strerror", None) or "cannot be opened"
    end(command, UNUSABLE, f"{file}: {reason}", as_json=as_json)
