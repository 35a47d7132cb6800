"""The sentences of found passages that answer a question, for other domains."""

from dossier.knowledge.rules.extract import (
    Extraction,
    Passage,
    Picked,
    Verdict,
    extract,
    question_terms,
)

__all__ = [
    "Extraction",
    "Passage",
    "Picked",
    "Verdict",
    "extract",
    "question_terms",
]
