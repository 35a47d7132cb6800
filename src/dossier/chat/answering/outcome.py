"""How an answer was made: its label, and why it is not what was asked for."""

from dataclasses import dataclass, field
from typing import Final

from dossier.ai.exceptions import (
    BudgetBusyError,
    BudgetExhaustedError,
    ModelPriceUnknownError,
)
from dossier.ai.schemas import AnswerLabel, Degraded
from dossier.ai.service.prompts import load_prompt
from dossier.chat.answering.prompt import GROUNDED_PROMPT, PLAIN_PROMPT
from dossier.chat.rules.replies import CLAIM_RULES, EXTRACT_RULES, PLAIN_RULES
from dossier.core.clock import now
from dossier.core.errors import AppError
from dossier.knowledge.extraction import DOCUMENTS_PARSER

NEEDS_NO_BUDGET: Final = (
    "The grounding `papers` with the engine `extractive` asks no chat model."
)
CLAIMS_UNSUPPORTED: Final = Degraded(
    code="claims-unsupported",
    detail="No sentence of the model could be proven; documents are quoted instead.",
)
ANSWER_CUT: Final = Degraded(
    code="answer-cut",
    detail="The model came to the longest answer that is asked for"
    " (DOSSIER_AI__MAX_OUTPUT_TOKENS) before its end.",
)


@dataclass(frozen=True, slots=True)
class AnswerOutcome:
    """How a finished answer was made."""

    label: AnswerLabel
    dropped: dict[str, int] = field(default_factory=dict)
    """Sentences of the model that were not shown, counted by the reason."""
    not_ready: list[dict[str, str]] = field(default_factory=list)
    """Documents that could not be searched yet."""
    server: str | None = None
    """Label of the server whose model answered."""
    cache_key: str | None = None
    """Set where the answer is stored for the same question."""

    @property
    def dropped_claims(self) -> int:
        """Return how many sentences of the model were not shown."""
        return sum(self.dropped.values())


def model_label(
    model: str | None, degraded: Degraded | None = None, *, is_grounded: bool
) -> AnswerLabel:
    """Return the label of an answer that a model writes now."""
    prompt = load_prompt(GROUNDED_PROMPT if is_grounded else PLAIN_PROMPT)
    return AnswerLabel(
        engine="model",
        model=model,
        prompt_hash=prompt.sha256,
        parser=DOCUMENTS_PARSER if is_grounded else None,
        ruleset=CLAIM_RULES if is_grounded else PLAIN_RULES,
        network=True,
        at=now(),
        degraded=degraded,
    )


def verbatim_label(degraded: Degraded | None, *, network: bool) -> AnswerLabel:
    """Return the label of an answer in the documents' own words."""
    return AnswerLabel(
        engine="extractive",
        parser=DOCUMENTS_PARSER,
        ruleset=EXTRACT_RULES,
        network=network,
        at=now(),
        degraded=degraded,
    )


def is_model_text(label: AnswerLabel | None) -> bool:
    """Return whether a model wrote the whole text for this very answer."""
    return (
        label is not None
        and label.engine == "model"
        and not label.from_cache
        and label.degraded is None
    )


def degraded_by(error: AppError) -> Degraded:
    """Return why an answer is not a model's."""
    return Degraded(code=error.slug(), detail=error.detail)


def is_budget(error: AppError) -> bool:
    """Return whether the caller's budget, and no model, is the reason."""
    return isinstance(
        error, BudgetBusyError | BudgetExhaustedError | ModelPriceUnknownError
    )


def with_alternative(error: AppError) -> AppError:
    """Return a budget's refusal that names what needs no budget."""
    detail = f"{error.detail} {NEEDS_NO_BUDGET}"
    return type(error)(detail, retry_after_s=error.retry_after_s, limit=error.limit)
