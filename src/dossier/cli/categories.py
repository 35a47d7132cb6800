"""`dossier categories`: what each category decides, as a table or as JSON."""

from typing import Annotated

import orjson
import typer

from dossier.products import rules

app = typer.Typer()


@app.command("categories")
def list_categories(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Every column, and how sure it is.")
    ] = False,
) -> None:
    """List the categories that a product can have."""
    typer.echo(_json() if as_json else _table())


def _json() -> str:
    content = {"items": list(rules.categories().values()), "sources": rules.sources()}
    return orjson.dumps(content, option=orjson.OPT_INDENT_2).decode()


def _table() -> str:
    rows = rules.categories().values()
    width = max(len(row.id) for row in rows)
    return "\n".join(
        f"{row.id:<{width}}  {row.phase_in_on or 'not asked for'!s:<13}  "
        f"{row.name_en} / {row.name_zh}"
        for row in rows
    )
