"""The command `dossier`; each group of commands lives in its own file.

A group is imported only when one of its commands runs, so that `--help` and the
start of the server stay fast.
"""

import gc
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from pydantic import ValidationError
from typer.core import TyperGroup
from typing_extensions import override

from dossier.core.errors import AppError

COMMANDS: dict[str, str] = {
    "activity": "dossier.cli.activity",
    "api-key": "dossier.cli.api_keys",
    "build": "dossier.cli.build",
    "categories": "dossier.cli.categories",
    "check": "dossier.cli.check",
    "create-org": "dossier.cli.accounts",
    "create-user": "dossier.cli.accounts",
    "doctor": "dossier.cli.doctor",
    "document": "dossier.cli.document",
    "fake-model": "dossier.cli.fake_model",
    "formula": "dossier.cli.formula",
    "jobs": "dossier.cli.jobs",
    "knowledge": "dossier.cli.knowledge",
    "migrate": "dossier.cli.database",
    "postgres": "dossier.cli.database",
    "regulations": "dossier.cli.regulations",
    "search": "dossier.cli.search",
    "serve": "dossier.cli.serve",
    "worker": "dossier.cli.worker",
    "workflow": "dossier.cli.workflow",
}
"""Each command with the module whose typer `app` holds it."""

CANNOT_BE_USED = 2
"""Exit code where the input, the settings or the machine cannot be used."""


@contextmanager
def importing() -> Iterator[None]:
    """Import without garbage collection, which takes a seventh of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # imported modules are never garbage
        gc.enable()


class LazyGroup(TyperGroup):
    """Imports the module of the command that runs, and no other.

    An `AppError` is printed as one line; other exceptions keep their traceback.
    """

    @override
    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except AppError as exc:
            reason = (
                exc.title if exc.detail == exc.title else f"{exc.title}: {exc.detail}"
            )
            typer.echo(" ".join(reason.split()), err=True)
            raise typer.Exit(CANNOT_BE_USED) from exc
        except ValidationError as exc:
            if exc.title != "Settings":
                raise
            # The variables are named without their values, which may be secrets.
            faults = "; ".join(
                f"DOSSIER_{'__'.join(map(str, error['loc'])).upper()}: {error['msg']}"
                for error in exc.errors()
            )
            typer.echo(f"Settings not valid: {faults}", err=True)
            raise typer.Exit(CANNOT_BE_USED) from exc

    @override
    def list_commands(self, ctx: Any) -> list[str]:
        return sorted(COMMANDS)

    @override
    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        with importing():
            module = importlib.import_module(COMMANDS[cmd_name])
        command = typer.main.get_command(module.app)
        if isinstance(command, TyperGroup):
            command = command.commands.get(cmd_name, command)
        command.name = cmd_name  # a group alone in its file has none, and help is blank
        return command


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Turns a cosmetic brand's documents into a Product Information File.",
)


@app.callback()
def _root() -> None:
    """Turn a cosmetic brand's documents into a Product Information File."""


def main() -> None:
    """Run the command line."""
    app()
