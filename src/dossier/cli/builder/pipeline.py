"""The whole build, step by step; each step is one of the API's own use cases."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from dossier.accounts.service.organisations import OrganisationsService
from dossier.cli.builder.context import BuildContext
from dossier.cli.builder.evidence import link_evidence
from dossier.cli.builder.facts import (
    StatedFacts,
    apply_flags,
    read_facts,
    read_product_file,
)
from dossier.cli.builder.folder import Folder, read_folder
from dossier.cli.builder.formula import import_formula
from dossier.cli.builder.intake import read_documents, require_legible, store_files
from dossier.cli.builder.outputs import output_folder, print_version, write_report
from dossier.cli.builder.result import BuildResult
from dossier.cli.builder.terminal import WRITING, Stages
from dossier.cli.builder.types import JobFailedError, UnusableInputError
from dossier.core.errors import AppError
from dossier.core.settings import Settings
from dossier.core.startup import opened_database
from dossier.documents.constants import READ_TASK
from dossier.jobs.follower import JobFollower
from dossier.pif.constants import Market
from dossier.reports.constants import RENDER_TASK
from dossier.worker import working

MARKETS: Mapping[str, Market] = {"tw": "tw"}


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """The arguments of `dossier build`; `flags` are its `FIELD=VALUE` options."""

    folder: Path
    out: Path
    market: str
    flags: tuple[str, ...] = ()


async def run_build(
    settings: Settings, options: BuildOptions, stages: Stages
) -> BuildResult:
    """Check the input before anything is opened or written, then build.

    Raises:
        UnusableInputError: the folder, the facts or an option cannot be used.
    """
    if options.market not in MARKETS:
        known = ", ".join(MARKETS)
        message = (
            f"--market {options.market}: not a market that is known; known: {known}"
        )
        raise UnusableInputError(message)
    folder = read_folder(options.folder, apart_from=options.out)
    stated = apply_flags(read_product_file(folder.product_file), list(options.flags))
    facts = read_facts(stated, folder.files)
    with output_folder(options.out):
        async with AsyncExitStack() as stack:
            with stages.stage("Opening") as step:
                context = await stack.enter_async_context(_opened(settings))
                step.advance("database")
            try:
                result: BuildResult | Exception = await _build(
                    context, options, folder, facts, stages
                )
            except (AppError, UnusableInputError, JobFailedError) as exc:
                result = exc  # raised below: the worker's task group would wrap it
        if isinstance(result, Exception):
            raise result
        return result


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[BuildContext]:
    """Open the database, and run the jobs that a build waits for."""
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(opened_database(settings))
        actor = await OrganisationsService(database.sessions).ensure_local()
        follower = await stack.enter_async_context(
            JobFollower(database.sessions, database.url)
        )
        await stack.enter_async_context(
            working(settings, database, (READ_TASK, RENDER_TASK))
        )
        yield BuildContext(settings, database.sessions, actor, follower)


async def _build(
    context: BuildContext,
    options: BuildOptions,
    folder: Folder,
    facts: StatedFacts,
    stages: Stages,
) -> BuildResult:
    with stages.stage("Taking in", len(folder.files)) as step:
        stored, refused = await store_files(context, folder.files, step)
    with stages.stage("Reading", sum(1 for entry in stored if entry.job_id)) as step:
        imported = await read_documents(context, stored, step)
    require_legible(options.folder, facts, imported, (*refused, *folder.refused))
    async with context.transaction() as session:
        saved = await context.products(session).upsert_product(facts.product)
        product_id = saved.product.id
    with stages.stage("Formula") as step:
        formula = await import_formula(context, product_id, facts, stored)
        step.advance("formula")
    with stages.stage("Matching") as step:
        notes = await link_evidence(
            context, product_id, facts, stored, formula.document_id
        )
        step.advance("items")
    with stages.stage("Printing") as step:
        market = MARKETS[options.market]
        frozen, report_id = await print_version(
            context, product_id, market, facts.as_of, step
        )
    with stages.stage(WRITING) as step:
        outputs = await write_report(context, report_id, options.out, step)
    return BuildResult(
        snapshot=frozen.version.snapshot,
        version_sha256=frozen.version.sha256,
        is_new_version=frozen.created,
        imported=tuple(imported),
        refused=(*refused, *folder.refused),
        formula=formula,
        notes=notes,
        outputs=outputs,
        seconds=stages.seconds,
    )
