"""`dossier categories`: what each category decides, and the values of `check`."""

from typing import Annotated

import orjson
import typer

from dossier.products.categories import categories, sources
from dossier.products.constants import Use
from dossier.regulations.constants import Form, Market, Population, Site, UserGroup

app = typer.Typer()


@app.command("categories")
def list_categories(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Every column, and how sure it is.")
    ] = False,
) -> None:
    """List the categories that a product can have."""
    rows = list(categories().values())
    if as_json:
        values = {
            "use": list(Use),
            "form": list(Form),
            "site": list(Site),
            "population": list(Population),
            "user": list(UserGroup),
            "market": list(Market),
        }
        content = {"items": rows, "sources": sources(), "values": values}
        typer.echo(orjson.dumps(content, option=orjson.OPT_INDENT_2))
        return
    width = max(len(row.id) for row in rows)
    for row in rows:
        day = str(row.phase_in_on or "not asked for")
        typer.echo(f"{row.id:<{width}}  {day:<13}  {row.name_en} / {row.name_zh}")
