"""One organisation with papers, that asks."""

from dataclasses import dataclass
from typing import Any, Final

from benchmarks.evals.library import open_organisation

from dossier.chat.service.answers import AnswersService, Question
from dossier.chat.service.runs import Answered, RunsService
from dossier.chat.types import AnswerOptions
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.tenancy import Actor
from dossier.core.visible import visible
from dossier.jobs.follower import JobFollower
from dossier.knowledge.rules.evaluation import CollectionDocument
from dossier.knowledge.service.evaluation import index_documents

PATIENCE_S: Final = 120


@dataclass(frozen=True, slots=True)
class Desk:
    """One organisation that asks."""

    sessions: SessionFactory
    follower: JobFollower
    texts: dict[str, str]
    """What the papers say, by the ids of their documents."""
    actor: Actor

    async def ask(self, question: str, engine: str = "auto") -> Answered:
        """Ask in a new room and wait."""
        org_id = self.actor.org_id
        async with tenant_transaction(self.sessions, org_id) as session:
            answers = AnswersService(session, self.actor, 10_000, has_model=True)
            asked = await answers.ask(
                Question(message=question, options=AnswerOptions(engine))
            )
        if not await self.follower.wait(org_id, asked.job.id, PATIENCE_S):
            message = f"no answer to {question!r} in {PATIENCE_S} s"
            raise TimeoutError(message)
        async with tenant_transaction(self.sessions, org_id) as session:
            return await RunsService(session, self.actor).read_answered(asked)

    def stands(self, citation: dict[str, Any]) -> bool:
        """Tell whether a quote stands where it says, but for what nobody sees."""
        text = self.texts[citation["document_id"]]
        stretch = text[citation["start"] : citation["end"]]
        return bool(visible(stretch) == citation["quote"])


async def open_desk(
    sessions: SessionFactory,
    follower: JobFollower,
    papers: tuple[CollectionDocument, ...],
) -> Desk:
    """Return a new organisation whose papers are indexed."""
    actor = await open_organisation(sessions)
    documents = await index_documents(sessions, actor, papers)
    texts = {paper.id: paper.text for paper in papers}
    by_document = {str(id_): texts[name] for id_, name in documents.items()}
    return Desk(sessions, follower, by_document, actor)
