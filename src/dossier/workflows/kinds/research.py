"""`research`: questions bound to sources, a table of evidence, a report from it."""

import json
import re
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field

from dossier.core.clock import now
from dossier.integrations.literature.sources import SOURCES
from dossier.integrations.literature.types import SourceRank
from dossier.workflows.exceptions import RunBudgetReachedError
from dossier.workflows.export import inert
from dossier.workflows.journal import WorkflowRunner
from dossier.workflows.kinds import register
from dossier.workflows.material import MAX_PASSAGES, Question, find_passages
from dossier.workflows.rules import banned_claims, language_of
from dossier.workflows.schemas import Language, Topic, WorkflowInputs
from dossier.workflows.types import StepContext, WorkflowKind

PLAN: Final = "workflow.research.plan"
WRITE: Final = "workflow.research.write"
DOCUMENTS: Final = "documents"
MAX_QUESTIONS: Final = 6
MAX_STATEMENTS: Final = 12
MAX_QUOTE: Final = 1_200

SourceName = Literal["documents", "arxiv", "pubmed", "wikipedia", "pubchem", "tavily"]
ALL_SOURCES: Final[tuple[SourceName, ...]] = (
    "documents",
    "pubmed",
    "arxiv",
    "pubchem",
    "wikipedia",
    "tavily",
)


class ResearchInputs(WorkflowInputs):
    """Gathers evidence from documents and public sources; reports it with quotes."""

    topic: Topic
    sources: list[SourceName] = Field(
        default_factory=lambda: list(ALL_SOURCES), min_length=1, max_length=6
    )
    max_results: Annotated[int, Field(ge=1, le=10)] = 5
    language: Language | None = Field(None, description="null: that of the topic.")


class SubQuestion(BaseModel):
    """One question, bound to the source that probably answers it."""

    question: str
    source: SourceName
    query: str


class Brief(BaseModel):
    """What is planned."""

    questions: list[SubQuestion]


class ResearchPlanInputs(BaseModel):
    """What a plan is made for."""

    topic: str
    sources: list[SourceName]


class GatherInputs(BaseModel):
    """One question to one source."""

    question: SubQuestion
    limit: int


class EvidenceRow(BaseModel):
    """One row of the table: words of a source, and where they stand."""

    source: SourceName
    title: str
    quote: str
    url: str | None = None
    place: str | None = None
    """File and page, for the organisation's documents."""
    retrieved_at: datetime
    sha256: str | None = None
    rank: int


class Gathered(BaseModel):
    """What one question found, or why nothing was found."""

    question: SubQuestion
    status: str
    reason: str | None = None
    evidence: list[EvidenceRow] = []


class Statement(BaseModel):
    """A sentence of the report, with the rows and the words that it rests on."""

    text: str
    rows: list[int]
    quote: str


class Statements(BaseModel):
    """The report as a model writes it."""

    statements: list[Statement]


class WriteInputs(BaseModel):
    """What a report is written from."""

    topic: str
    language: str
    evidence: list[EvidenceRow]


class ResearchResult(BaseModel):
    """The report, the table behind it, and what was not found."""

    topic: str
    language: str
    statements: list[Statement]
    dropped: int
    """Statements whose quote is in none of their rows, or that claim too much."""
    evidence: list[EvidenceRow]
    gaps: list[str]
    engine: Literal["model", "rules"]


async def plan(step: StepContext, wanted: ResearchPlanInputs) -> Brief:
    """Let a model bind questions to sources; only sources that were asked for count."""
    prompt = json.dumps(wanted.model_dump(), ensure_ascii=False)
    brief = await step.typed(Brief, prompt)
    kept = [each for each in brief.questions if each.source in wanted.sources]
    return Brief(questions=kept[:MAX_QUESTIONS])


def plain_plan(wanted: ResearchPlanInputs) -> Brief:
    """Return the topic as the one question to every source."""
    questions = [
        SubQuestion(question=wanted.topic, source=each, query=wanted.topic[:300])
        for each in wanted.sources
    ]
    return Brief(questions=questions[:MAX_QUESTIONS])


async def gather(step: StepContext, wanted: GatherInputs) -> Gathered:
    """Ask one source; a failure is a gap, not the end of the run."""
    question = wanted.question
    if question.source == DOCUMENTS:
        passages = await find_passages(step, Question(text=question.query))
        rows = [
            EvidenceRow(
                source="documents",
                title=each.filename,
                quote=each.text[:MAX_QUOTE],
                place=f"{each.filename}, page {each.page}",
                retrieved_at=now(),
                rank=SourceRank.WEB,
            )
            for each in passages[: min(wanted.limit, MAX_PASSAGES)]
        ]
        status = "found" if rows else "nothing_found"
        return Gathered(question=question, status=status, evidence=rows)
    found = await step.literature.search(
        step.org_id, question.source, question.query, wanted.limit
    )
    if found.status != "not_asked":
        step.count_fetch(str(found.answer_id) if found.answer_id else None)
    rows = [
        EvidenceRow(
            source=question.source,
            title=hit.title,
            quote=hit.text[:MAX_QUOTE],
            url=hit.url,
            retrieved_at=found.retrieved_at or now(),
            sha256=found.sha256,
            rank=hit.rank,
        )
        for hit in found.hits
        if hit.text
    ]
    return Gathered(
        question=question, status=found.status, reason=found.reason, evidence=rows
    )


async def write(step: StepContext, wanted: WriteInputs) -> Statements:
    """Let a model write statements from the rows."""
    rows = [
        {"n": number, "source": row.source, "rank": row.rank, "quote": row.quote}
        for number, row in enumerate(wanted.evidence, start=1)
    ]
    members = {
        "topic": wanted.topic,
        "language": wanted.language,
        "evidence": rows,
    }
    prompt = json.dumps(members, ensure_ascii=False)
    return await step.typed(Statements, prompt)


def supported(found: Statements, evidence: list[EvidenceRow]) -> list[Statement]:
    """Return the statements whose quote stands in one of their rows."""
    kept = []
    for each in found.statements[:MAX_STATEMENTS]:
        rows = [row for row in each.rows if 1 <= row <= len(evidence)]
        quote = _folded(each.quote)
        holds = quote and any(quote in _folded(evidence[row - 1].quote) for row in rows)
        if holds and not banned_claims(each.text):
            kept.append(each.model_copy(update={"rows": rows}))
    return kept


def _folded(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().casefold()


async def research(run: WorkflowRunner, inputs: ResearchInputs) -> ResearchResult:
    """Plan, gather side by side, and write from the table of evidence alone."""
    language = inputs.language or language_of(inputs.topic)
    sources = list(dict.fromkeys(inputs.sources))
    wanted = ResearchPlanInputs(topic=inputs.topic, sources=sources)
    gathered: list[Gathered] = []
    kept: list[Statement] = []
    evidence: list[EvidenceRow] = []
    dropped = 0
    gaps: list[str] = []
    try:
        brief = plain_plan(wanted)
        if run.has_model:
            planned = await run.step("plan", plan, wanted, prompt=PLAN)
            brief = planned if planned.questions else brief
        gathered = await run.parallel(
            *(
                run.step(
                    "gather",
                    gather,
                    GatherInputs(question=each, limit=inputs.max_results),
                    key=str(number),
                )
                for number, each in enumerate(brief.questions, start=1)
            )
        )
        evidence = ranked(gathered)
        if evidence and run.has_model:
            rest = WriteInputs(topic=inputs.topic, language=language, evidence=evidence)
            written = await run.step("write", write, rest, prompt=WRITE)
            kept = supported(written, evidence)
            dropped = len(written.statements) - len(kept)
    except RunBudgetReachedError as exc:
        run.stop_reason = "budget"
        gaps.append(f"The run's budget was reached ({exc}).")
    if not run.has_model:
        # The words of the sources themselves, the weightiest first.
        kept = [
            Statement(text=row.quote, rows=[number], quote=row.quote)
            for number, row in enumerate(evidence[:MAX_STATEMENTS], start=1)
        ]
    return ResearchResult(
        topic=inputs.topic,
        language=language,
        statements=kept,
        dropped=dropped,
        evidence=evidence,
        gaps=[*gaps, *gaps_of(gathered, sources)],
        engine="model" if run.has_model else "rules",
    )


def ranked(gathered: list[Gathered]) -> list[EvidenceRow]:
    """Return all rows once, the weightiest first; own documents go before the web."""
    rows: dict[tuple[str, str], EvidenceRow] = {}
    for found in gathered:
        for row in found.evidence:
            rows.setdefault((row.url or row.place or "", row.quote), row)
    own = {DOCUMENTS: 0}
    return sorted(rows.values(), key=lambda row: (-row.rank, own.get(row.source, 1)))


def gaps_of(gathered: list[Gathered], sources: list[SourceName]) -> list[str]:
    """Return what was not found, with its reason."""
    gaps = [
        f"{found.question.source}: {found.reason or 'nothing was found'} "
        f"({found.question.question})"
        for found in gathered
        if found.status != "found"
    ]
    asked = {found.question.source for found in gathered}
    return gaps + [
        f"{each}: no question was put to it" for each in sources if each not in asked
    ]


def markdown(result: ResearchResult) -> str:
    """Return the report with its bibliography and its gaps."""
    parts = [f"# {inert(result.topic)}"]
    for each in result.statements:
        marks = "".join(f" \\[{row}\\]" for row in each.rows)
        parts.append(f"{inert(each.text)}{marks}")
    if result.evidence:
        parts.append("## Sources")
        parts += [
            f"{number}. {_entry(row)}"
            for number, row in enumerate(result.evidence, start=1)
        ]
    if result.gaps:
        parts.append("## Gaps")
        parts += [f"- {inert(each)}" for each in result.gaps]
    return "\n\n".join(parts) + "\n"


def _entry(row: EvidenceRow) -> str:
    day = row.retrieved_at.date().isoformat()
    where = f"<{row.url}>" if row.url and _is_link(row.url) else inert(row.place or "")
    return f"{inert(row.title)} · {row.source} · {where} · retrieved {day}"


def _is_link(url: str) -> bool:
    """Return whether an address may stand as a link: http, without a sign of markup."""
    return re.fullmatch(r"https?://[^\s<>()\[\]\"'`\\]+", url) is not None


RESEARCH: Final = register(
    WorkflowKind(
        name="research",
        version=1,
        inputs=ResearchInputs,
        result=ResearchResult,
        run=research,
        markdown=markdown,
    )
)
assert set(ALL_SOURCES) == {DOCUMENTS, *SOURCES}  # noqa: S101 - one list in two forms
