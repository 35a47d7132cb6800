"""How an answer is wanted, and what an answer given anew takes over."""

from dataclasses import dataclass
from typing import Any, Final

from dossier.ai.exceptions import ModelNotConfiguredError
from dossier.chat.gateway import branches as gateway
from dossier.chat.models import ChatMessage
from dossier.chat.service.answers_brief import Order
from dossier.chat.service.messages import Regeneration
from dossier.core.database import Session
from dossier.core.tenancy import Actor
from dossier.runs.exceptions import RunNotFoundError
from dossier.runs.service import RunsService

PLAIN_RULES: Final = "plain@3"
"""Of answers without papers."""
_NEEDS_NO_MODEL = {
    True: "Set DOSSIER_AI__BASE_URL, or ask with the engine `auto` or `extractive`.",
    False: "Set DOSSIER_AI__BASE_URL, or ask with the grounding `papers`.",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """How an answer is wanted."""

    engine: str = "auto"
    grounding: str = "papers"


@dataclass(frozen=True, slots=True)
class Wish:
    """How an answer is wanted anew; `None`: as the one that it replaces."""

    engine: str | None = None
    grounding: str | None = None

    def instead_of(self, before: Terms) -> Terms:
        """Return the terms; what only quotes papers is not talk without them."""
        is_extractive = self.engine == "extractive"
        kept = "papers" if is_extractive else before.grounding
        return Terms(self.engine or before.engine, self.grounding or kept)


def require_model(terms: Terms, *, has_model: bool) -> None:
    """Raise where an answer is wanted that only a model gives, and there is none."""
    is_grounded = terms.grounding != "none"
    needs_model = terms.engine == "model" or not is_grounded
    if needs_model and not has_model:
        raise ModelNotConfiguredError(_NEEDS_NO_MODEL[is_grounded])


class TermsBefore:
    """The terms of earlier answers, from the runs that wrote them."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor
        self._runs = RunsService(session, actor)

    async def of(self, again: Regeneration) -> Terms:
        """Return the terms of an answer, or of the newest one to a question."""
        answer = again.earlier or await self._newest_answer(again.question)
        return Terms() if answer is None else await self._of_answer(answer)

    async def _newest_answer(self, question: ChatMessage) -> ChatMessage | None:
        """Return the newest answer; an edited question has those of its first words."""
        for parent_id in (question.id, question.supersedes_id):
            if parent_id is None:
                continue
            below = await gateway.list_siblings_for_org(
                self._session, self._actor.org_id, question.room_id, parent_id
            )
            answers = [each for each in below if each.virtual_user_id is not None]
            if answers:
                return answers[-1]
        return None

    async def _of_answer(self, answer: ChatMessage) -> Terms:
        if answer.run_id is None:
            return _of_label(answer.engine or {})
        try:
            run = await self._runs.get_run(answer.run_id)
        except RunNotFoundError:
            return _of_label(answer.engine or {})
        order = Order.of(run.input)
        return Terms(order.engine, order.grounding)


def _of_label(label: dict[str, Any]) -> Terms:
    """Return what is known of an answer that was copied, or whose run is gone."""
    name, _, _version = PLAIN_RULES.partition("@")
    is_plain = str(label.get("ruleset")).startswith(f"{name}@")
    return Terms(grounding="none") if is_plain else Terms()
