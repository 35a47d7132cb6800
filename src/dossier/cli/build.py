"""`dossier build`: a folder of documents in, a Product Information File out.

The same services and jobs as the API; only the folder and the summary are its own.
Exit codes: 0 it ran, whatever is missing; 1 it broke; 2 the input cannot be used;
130 it was stopped.
"""

import asyncio
from pathlib import Path
from typing import Annotated, NoReturn

import orjson
import typer
from rich.console import Console

from dossier.cli import importing
from dossier.cli.builder.result import BuildResult, result_json, summary
from dossier.cli.builder.terminal import WRITING, Stages
from dossier.cli.builder.types import JobFailedError, UnusableInputError
from dossier.core.errors import AppError, InvalidError
from dossier.core.settings import Settings

app = typer.Typer()

BROKEN, UNUSABLE, STOPPED = 1, 2, 130


@app.command()
def build(
    folder: Annotated[Path, typer.Argument(help="The folder with the documents.")],
    *,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")],
    market: Annotated[str, typer.Option(help="The market: tw.")] = "tw",
    product: Annotated[
        list[str] | None,
        typer.Option(help="FIELD=VALUE over product.yaml, as in holder.name=…"),
    ] = None,
    category: Annotated[
        str | None, typer.Option(help="As `dossier categories` lists them.")
    ] = None,
    use: Annotated[str | None, typer.Option(help="leave_on or rinse_off.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Only JSON on standard output.")
    ] = False,
) -> None:
    """Turn a folder of documents into pif.pdf, findings.json and inspection.zip."""
    fields = {"category": category, "use": use}
    flags = [*(product or [])]
    flags += [f"{name}={value}" for name, value in fields.items() if value is not None]
    stages = Stages(None if as_json else Console(stderr=True))
    try:
        result = asyncio.run(_run(folder, out, market, flags, stages))
    except UnusableInputError as exc:
        _end(UNUSABLE, exc.reasons, as_json=as_json)
    except JobFailedError as exc:
        _end(BROKEN, (str(exc),), as_json=as_json)
    except AppError as exc:
        code = UNUSABLE if isinstance(exc, InvalidError) else BROKEN
        # Without a detail of its own, an error's detail is its title.
        reason = ": ".join(dict.fromkeys((exc.title, exc.detail)))
        faults = (f"{fault.pointer}: {fault.detail}" for fault in exc.faults)
        _end(code, (reason, *faults), as_json=as_json)
    except KeyboardInterrupt:
        written = "the results were" if WRITING in stages.seconds else "nothing was"
        _end(STOPPED, (f"stopped; {written} written",), as_json=as_json)
    if as_json:
        typer.echo(orjson.dumps(result_json(result), option=orjson.OPT_INDENT_2))
        return
    console = Console(highlight=False, markup=False, soft_wrap=True)
    for line in summary(result):
        console.print(line.text, style=line.style or None)


async def _run(
    folder: Path, out: Path, market: str, flags: list[str], stages: Stages
) -> BuildResult:
    # Not at the top: `--help` and mistyped options do not wait for these imports.
    with importing():
        from dossier.cli.builder.pipeline import (  # noqa: PLC0415
            BuildOptions,
            run_build,
        )

    options = BuildOptions(folder=folder, out=out, market=market, flags=tuple(flags))
    return await run_build(Settings(), options, stages)


def _end(code: int, reasons: tuple[str, ...], *, as_json: bool) -> NoReturn:
    if as_json:
        typer.echo(orjson.dumps({"errors": list(reasons)}, option=orjson.OPT_INDENT_2))
    for reason in reasons:
        typer.echo(f"dossier build: {reason}", err=True)
    raise typer.Exit(code)
