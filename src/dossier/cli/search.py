"""`dossier search`: search the documents of an organisation."""

import asyncio
from time import perf_counter
from typing import Annotated
from uuid import UUID

import typer
from pydantic import TypeAdapter, ValidationError

from dossier.accounts.service.organisations import OrganisationsService
from dossier.ai.service.assembly import open_model_services
from dossier.core.settings import Settings
from dossier.core.startup import opened_database
from dossier.knowledge.constants import DEFAULT_HITS, MAX_HITS
from dossier.knowledge.responses import search_response
from dossier.knowledge.schemas import QuestionText, SearchResponse
from dossier.knowledge.service.assembly import opened_searchers
from dossier.knowledge.types import SearchQuery

app = typer.Typer()

_QUESTION: TypeAdapter[str] = TypeAdapter(QuestionText)


@app.command("search")
def search(
    question: Annotated[str, typer.Argument(help="Words, or a whole question.")],
    limit: Annotated[
        int, typer.Option(min=1, max=MAX_HITS, help="How many passages.")
    ] = DEFAULT_HITS,
    product: Annotated[
        UUID | None, typer.Option(help="Only documents of this product.")
    ] = None,
    org: Annotated[
        UUID | None, typer.Option(help="The organisation; open mode has but one.")
    ] = None,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="The answer of `GET /search`.")
    ] = False,
) -> None:
    """Search the documents; each hit with its quote, document and page."""
    try:
        words = _QUESTION.validate_python(question)
    except ValidationError as exc:
        message = exc.errors()[0]["msg"].removeprefix("Value error, ")
        raise typer.BadParameter(message, param_hint="question") from exc
    settings = Settings()
    if org is None and settings.auth.mode != "open":
        message = "where people log in, there is no local organisation: name one"
        raise typer.BadParameter(message, param_hint="--org")
    found = asyncio.run(_search(settings, SearchQuery(words, limit, product), org))
    typer.echo(found.model_dump_json() if as_json else _result_text(found))


async def _search(
    settings: Settings, query: SearchQuery, org: UUID | None
) -> SearchResponse:
    started_at = perf_counter()
    async with opened_database(settings) as database:
        sessions = database.sessions
        organisations = OrganisationsService(sessions)
        actor = await (
            organisations.operator_of(org) if org else organisations.ensure_local()
        )
        recorder = open_model_services(sessions, settings).recorder
        async with opened_searchers(sessions, settings, recorder) as searchers:
            result = await searchers.searcher(sessions, actor).search(query)
    return search_response(query.text, result, (perf_counter() - started_at) * 1000)


def _result_text(found: SearchResponse) -> str:
    blocks = []
    for number, hit in enumerate(found.items, 1):
        place = f"{number}. {hit.filename}, {hit.label}  [{hit.score:.2f}]"
        quote = " ".join(hit.quote.split())
        blocks.append(f"{place}\n   {quote}")
    for entry in found.not_ready:
        is_partly = entry.state == "read_partly"
        words = "read partly" if is_partly else f"not searched ({entry.state})"
        blocks.append(f"{words}: {entry.filename}")
    return "\n\n".join(blocks) or "Nothing found."
