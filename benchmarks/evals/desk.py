"""One organisation with papers, that asks."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from benchmarks.evals.library import open_organisation

from dossier.chat.schemas import ChatResponse, CitationResponse
from dossier.chat.service.answers import AnswersService, RunsService
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
    texts: dict[UUID, str]
    """The documents' texts by their ids."""
    actor: Actor

    async def ask(self, question: str, engine: str = "auto") -> ChatResponse:
        """Ask in a new room and wait."""
        org_id = self.actor.org_id
        async with tenant_transaction(self.sessions, org_id) as session:
            answers = AnswersService(session, self.actor, 10_000, has_model=True)
            asked = await answers.ask(question, AnswerOptions(engine))
        if not await self.follower.wait(org_id, asked.job.id, PATIENCE_S):
            message = f"no answer to {question!r} in {PATIENCE_S} s"
            raise TimeoutError(message)
        async with tenant_transaction(self.sessions, org_id) as session:
            return await RunsService(session, self.actor).read_answer(asked)

    def is_verbatim(self, citation: CitationResponse) -> bool:
        """Return whether a quote stands at its place, invisible characters aside."""
        text = self.texts[citation.document_id]
        return visible(text[citation.start : citation.end]) == citation.quote


async def open_desk(
    sessions: SessionFactory,
    follower: JobFollower,
    papers: tuple[CollectionDocument, ...],
) -> Desk:
    """Return a new organisation whose papers are indexed."""
    actor = await open_organisation(sessions)
    documents = await index_documents(sessions, actor, papers)
    texts = {paper.id: paper.text for paper in papers}
    by_document = {id_: texts[name] for id_, name in documents.items()}
    return Desk(sessions, follower, by_document, actor)
