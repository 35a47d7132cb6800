"""The sentences of found passages that answer a question, for other domains."""

from typing import Final

from dossier.knowledge.rules.analyser import ANALYSER_VERSION
from dossier.knowledge.rules.extract import (
    Extraction,
    Passage,
    Picked,
    Verdict,
    extract,
    question_terms,
)

PAPERS_PARSER: Final = f"analyser@{ANALYSER_VERSION}"
"""What cut the papers into the passages that an answer rests on."""

__all__ = [
    "PAPERS_PARSER",
    "Extraction",
    "Passage",
    "Picked",
    "Verdict",
    "extract",
    "question_terms",
]
