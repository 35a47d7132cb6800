"""`dossier document read`: what is read of one document, without a database.

Exit codes as in `ending`.
"""

import asyncio
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import typer

from dossier.cli import importing
from dossier.cli.ending import BROKEN, end, require_file
from dossier.core.settings import Settings
from dossier.documents.facts.record import read_record
from dossier.documents.facts.types import PageText
from dossier.integrations.parsing.types import ReadState

_STATES: Final = {
    ReadState.READ: "read",
    ReadState.READ_PARTLY: "read partly",
    ReadState.UNREADABLE: "cannot be read",
}

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def _group() -> None:
    """Read single documents."""


@app.command()
def read(
    file: Annotated[Path, typer.Argument(help="The document.")],
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Only JSON on standard output.")
    ] = False,
) -> None:
    """Show the text of a document, what was left out, and the facts in it."""
    require_file("document read", file, as_json=as_json)
    with importing():
        from dossier.integrations.parsing.reader import (  # noqa: PLC0415 - help waits for no parser
            SandboxBrokenError,
            SandboxedReader,
            limits_of,
        )
    reader = SandboxedReader(limits_of(Settings().limits))
    try:
        text = asyncio.run(reader.read(file, file.name))
    except (SandboxBrokenError, OSError) as exc:
        reason = str(exc) or type(exc).__name__
        end("document read", BROKEN, reason, as_json=as_json)
    record = read_record(
        [PageText(page.number, page.text) for page in text.usable_pages]
    )
    answer = {
        "type": text.media_type,
        "kind": record["kind"]["kind"],
        "state": text.state,
        "pages": [
            {
                "number": page.number,
                "state": page.state,
                "characters": page.characters,
            }
            for page in text.pages
        ],
        "text": text.text,
        "warnings": [
            {"code": each.code, "message": each.message, "place": each.place}
            for each in text.warnings
        ],
        "facts": record["facts"],
    }
    if as_json:
        typer.echo(orjson.dumps(answer, option=orjson.OPT_INDENT_2))
    else:
        typer.echo("\n".join(_lines(file.name, answer)))


def _lines(name: str, answer: dict[str, Any]) -> list[str]:
    state = _STATES[answer["state"]]
    kind = (answer["kind"] or "kind unknown").replace("_", " ")
    lines = [f"{name}: {answer['type']}, {kind}, {state}"]
    for each in answer["warnings"]:
        place = f"{each['place']}: " if each["place"] else ""
        lines += [f"! {place}{each['message'].en}", f"  {each['message'].zh}"]
    if answer["facts"]:
        lines += ["", "Facts"]
    for fact_name, facts in answer["facts"].items():
        lines += [
            f"  {fact_name}: {fact['value'] or fact['state']}"
            f" ({fact['raw']}{_page(fact['page'])})"
            for fact in facts
        ]
    return [*lines, "", answer["text"]] if answer["text"] else lines


def _page(number: int | None) -> str:
    return "" if number is None else f", page {number}"
