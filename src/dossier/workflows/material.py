"""Steps that several kinds share: passages of the organisation's documents."""

from uuid import UUID

from pydantic import BaseModel

from dossier.core.database import tenant_transaction
from dossier.documents.service import DocumentsService
from dossier.knowledge.types import SearchQuery
from dossier.products.service.products import ProductsService
from dossier.workflows.types import StepContext

MAX_PASSAGES = 8


class DocumentPassage(BaseModel):
    """A passage of a document, under the number that texts cite it by."""

    number: int
    document_id: UUID
    filename: str
    page: int
    text: str


class Question(BaseModel):
    """What is looked for, in all documents or those of a product."""

    text: str
    product_id: UUID | None = None


class EnteredFacts(BaseModel):
    """What a person entered about a product."""

    facts: dict[str, str] | None


async def find_passages(step: StepContext, question: Question) -> list[DocumentPassage]:
    """Return the best passages that the actor may read."""
    query = SearchQuery(
        text=question.text, limit=MAX_PASSAGES, product_id=question.product_id
    )
    found = await step.search.search(query)
    return [
        DocumentPassage(
            number=number,
            document_id=hit.document_id,
            filename=hit.filename,
            page=hit.page,
            text=hit.text,
        )
        for number, hit in enumerate(found.hits, start=1)
    ]


async def read_product(step: StepContext, question: Question) -> EnteredFacts:
    """Return the filled facts of a product; without one, none."""
    if question.product_id is None:
        return EnteredFacts(facts=None)
    async with tenant_transaction(step.services.sessions, step.org_id) as session:
        documents = DocumentsService(session, step.actor)
        products = ProductsService(session, step.actor, documents)
        product = await products.get_product(question.product_id)
        facts = {
            name: str(value)
            for name in ("code", "name_zh", "name_en", "category", "intended_use")
            if (value := getattr(product, name)) is not None
        }
    return EnteredFacts(facts=facts)
