"""The whole build, step by step; each step is one of the API's own use cases."""

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from dossier.accounts.service import OrganisationsService
from dossier.cli.builder.errors import JobFailedError, UnusableInputError
from dossier.cli.builder.evidence import match_papers
from dossier.cli.builder.facts import Facts, read_facts
from dossier.cli.builder.folder import Folder, read_folder
from dossier.cli.builder.formula import import_formula
from dossier.cli.builder.intake import read_papers, require_legible, take_in
from dossier.cli.builder.outcome import Outcome
from dossier.cli.builder.outputs import output_folder
from dossier.cli.builder.printing import print_file, write_files
from dossier.cli.builder.product_file import apply_flags, read_product_file
from dossier.cli.builder.progress import WRITING, Stages
from dossier.cli.builder.waiting import watching
from dossier.cli.builder.workshop import Workshop
from dossier.core.errors import AppError
from dossier.core.settings import Settings
from dossier.core.startup import opened_database
from dossier.documents.constants import READ_TASK
from dossier.pif.constants import Market
from dossier.reports.constants import RENDER_TASK
from dossier.worker import working

MARKETS: Mapping[str, Market] = {"tw": "tw"}


@dataclass(frozen=True, slots=True)
class Order:
    """What the command was asked for."""

    folder: Path
    out: Path
    market: str
    flags: tuple[str, ...] = ()


async def run_build(settings: Settings, order: Order, stages: Stages) -> Outcome:
    """Check the input, then build.

    Raises:
        UnusableInputError: the folder, the facts or an option cannot be used.
    """
    folder, facts = _checked(order)
    with output_folder(order.out):
        return await _built(settings, order, folder, facts, stages)


async def _built(
    settings: Settings, order: Order, folder: Folder, facts: Facts, stages: Stages
) -> Outcome:
    with stages.stage("Opening") as step:
        async with AsyncExitStack() as stack:
            workshop = await stack.enter_async_context(_opened(settings))
            step.advance("database")
            kept = stack.pop_all()
    async with kept:
        made = await _attempt(_build(workshop, order, folder, facts, stages))
    if isinstance(made, Exception):
        raise made
    return made


async def _attempt(building: Awaitable[Outcome]) -> Outcome | Exception:
    """Carry an expected failure past the worker, whose group would wrap it."""
    try:
        return await building
    except (AppError, UnusableInputError, JobFailedError) as exc:
        return exc


def _checked(order: Order) -> tuple[Folder, Facts]:
    if order.market not in MARKETS:
        known = ", ".join(MARKETS)
        message = f"--market {order.market}: not a market that is known; known: {known}"
        raise UnusableInputError(message)
    folder = read_folder(order.folder, apart_from=order.out)
    stated = apply_flags(read_product_file(folder.product_file), list(order.flags))
    facts = read_facts(stated, folder.papers)
    return folder, facts


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Workshop]:
    """Open the database, and run the jobs that a build waits for."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(opened_database(settings))
        actor = await OrganisationsService(database.sessions).ensure_local()
        watch = await stack.enter_async_context(
            watching(database.url, database.sessions, actor)
        )
        await stack.enter_async_context(
            working(settings, database, (READ_TASK, RENDER_TASK))
        )
        yield Workshop(settings, database.sessions, actor, watch)


async def _build(
    workshop: Workshop, order: Order, folder: Folder, facts: Facts, stages: Stages
) -> Outcome:
    with stages.stage("Taking in", len(folder.papers)) as step:
        stored, refused = await take_in(workshop, folder.papers, step)
    with stages.stage("Reading", sum(1 for entry in stored if entry.job_id)) as step:
        taken = await read_papers(workshop, stored, step)
    require_legible(order.folder, facts, taken, (*refused, *folder.refusals))
    product_id = await _state_product(workshop, facts)
    with stages.stage("Formula") as step:
        formula_id, unread = await import_formula(workshop, product_id, facts, stored)
        step.advance("formula")
    with stages.stage("Matching") as step:
        notes = await match_papers(workshop, product_id, facts, stored, formula_id)
        step.advance("items")
    with stages.stage("Printing") as step:
        printed = await print_file(workshop, product_id, MARKETS[order.market], step)
    with stages.stage(WRITING) as step:
        outputs = await write_files(workshop, printed, order.out, step)
    return Outcome(
        snapshot=printed.snapshot,
        version_sha256=printed.version_sha256,
        is_new_version=printed.is_new_version,
        taken=tuple(taken),
        refused=(*refused, *folder.refusals),
        formula_refused=tuple(unread),
        notes=notes,
        outputs=outputs,
        seconds=stages.seconds,
    )


async def _state_product(workshop: Workshop, facts: Facts) -> UUID:
    async with workshop.transaction() as session:
        stated = await workshop.products(session).upsert_product(facts.product)
        return stated.product.id
