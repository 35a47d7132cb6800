"""Reranking by the words that a document shares with the question."""

from collections.abc import Sequence

from dossier.testing.model_server.answering.tokens import telling_words, words
from dossier.testing.model_server.conversation import Json, UnreadableRequestError
from dossier.testing.model_server.wires.content import integer


def rerank(body: Json) -> Json:
    """Return the best documents first, as Jina and Cohere do."""
    query, documents = body.get("query"), body.get("documents")
    if not isinstance(query, str) or not isinstance(documents, list):
        message = "'query' and 'documents' are required."
        raise UnreadableRequestError(message)
    texts = [_text(document) for document in documents]
    scored = sorted(enumerate(_scores(query, texts)), key=lambda row: (-row[1], row[0]))
    kept = scored[: integer(body, "top_n", "top_k") or len(scored)]
    shown = body.get("return_documents", False)
    return {
        "id": "rerank-scripted",
        "model": body.get("model", ""),
        "results": [
            {"index": index, "relevance_score": score}
            | ({"document": {"text": texts[index]}} if shown else {})
            for index, score in kept
        ],
        "usage": {"total_tokens": sum(len(text) for text in texts) // 4},
    }


def _text(document: object) -> str:
    return (
        str(document.get("text", "")) if isinstance(document, dict) else str(document)
    )


def _scores(query: str, texts: Sequence[str]) -> list[float]:
    asked = telling_words(query)
    return [_share(asked, set(words(text))) for text in texts]


def _share(asked: set[str], found: set[str]) -> float:
    """Share of the question's words; of two alike, the shorter one wins a little."""
    if not asked:
        return 0.0
    return round(len(asked & found) / len(asked) - min(len(found), 1000) * 1e-6, 6)
