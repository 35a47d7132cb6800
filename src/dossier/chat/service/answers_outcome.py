"""How an answer came about: its label, and what else is written with it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from dossier.ai.schemas import AnswerLabel, Degraded
from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.errors import AppError
from dossier.core.reads import Statements

Write = Callable[[Session], Awaitable[None]]

CLAIMS_UNSUPPORTED = Degraded(
    code="claims-unsupported",
    detail="No sentence of the model could be proven; these are the papers' own words.",
)

ANSWER_CUT = Degraded(
    code="answer-cut",
    detail="The model came to the longest answer that is asked for"
    " (DOSSIER_AI__MAX_OUTPUT_TOKENS) before its end.",
)

Also = Callable[[Statements], Awaitable[None]]


async def also_nothing(_statements: Statements) -> None:
    """Write nothing, without a session."""


async def write_nothing(_session: Session) -> None:
    """Write nothing besides the message."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a finished answer is labelled with."""

    label: AnswerLabel
    dropped: dict[str, int] = field(default_factory=dict)
    not_ready: list[dict[str, str]] = field(default_factory=list)
    write: Write = write_nothing
    also: Also = also_nothing
    """What else is written, in statements that need no session."""
    server: str | None = None
    """Which server's model answered."""

    @property
    def dropped_claims(self) -> int:
        """Return how many sentences of the model were not let through."""
        return sum(self.dropped.values())


def label_of(
    engine: str,
    ruleset: str,
    *,
    model: str | None = None,
    prompt_hash: str | None = None,
    parser: str | None = None,
    network: bool = False,
    degraded: Degraded | None = None,
) -> AnswerLabel:
    """Return the label of an answer that was made now."""
    return AnswerLabel(
        engine="model" if engine == "model" else "extractive",
        model=model,
        prompt_hash=prompt_hash,
        parser=parser,
        ruleset=ruleset,
        network=network,
        at=now(),
        degraded=degraded,
    )


def degraded_by(error: AppError) -> Degraded:
    """Return why an answer is not a model's."""
    return Degraded(code=error.slug(), detail=error.detail)
