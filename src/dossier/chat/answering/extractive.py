"""An answer without a model: the best sentences, verbatim, with their places."""

from dataclasses import replace

from dossier.ai.schemas import Degraded
from dossier.chat.answering.outcome import AnswerOutcome, verbatim_label
from dossier.chat.answering.retrieval import CitedPassage, RetrievedPassages
from dossier.chat.answering.stream import AnswerStream
from dossier.chat.rules import replies
from dossier.chat.rules.claims import Claim, Quote
from dossier.chat.rules.prompt_injection import harmless
from dossier.core.visible import visible
from dossier.knowledge.extraction import AnswerVerdict


def answer_verbatim(
    stream: AnswerStream,
    question: str,
    retrieved: RetrievedPassages,
    degraded: Degraded | None = None,
    *,
    asked_model: bool = False,
) -> AnswerOutcome:
    """Write the sentences that answer, or the closest ones, or that there are none.

    Quoted passages are numbered from 1 in the order of the text.
    """
    network = asked_model or retrieved.mode != "lexical"
    stream.label = label = verbatim_label(degraded, network=network)
    found = retrieved.extraction(question)
    if found.verdict is AnswerVerdict.NOT_FOUND:
        refuse(stream, question, retrieved)
        return AnswerOutcome(label, not_ready=retrieved.not_ready)
    language = replies.language_of(question)
    if found.verdict is AnswerVerdict.CLOSEST:
        stream.line(replies.closest(language))
    quoted: dict[str, CitedPassage] = {}
    for picked in found.picked:
        found_passage, sentence = retrieved.passages[picked.passage], picked.sentence
        passage = quoted.setdefault(
            found_passage.chunk_id, replace(found_passage, number=len(quoted) + 1)
        )
        words = visible(sentence.text)
        quote = Quote(passage.number, words, sentence.start, sentence.end)
        claim = Claim(harmless(picked.shown, passage.text), (quote,))
        stream.append_claim(claim, {passage.number: passage})
    drafts = dict.fromkeys(each.filename for each in quoted.values() if each.is_draft)
    if drafts:
        stream.line(replies.drafts(language, drafts))
    if found.verdict is AnswerVerdict.CLOSEST:
        _name_not_ready(stream, language, retrieved)
    return AnswerOutcome(label, not_ready=retrieved.not_ready)


def refuse(stream: AnswerStream, question: str, retrieved: RetrievedPassages) -> None:
    """Write that nothing supports an answer, and what was not searched."""
    language = replies.language_of(question)
    stream.line(replies.not_found(language))
    _name_not_ready(stream, language, retrieved)


def _name_not_ready(
    stream: AnswerStream, language: str, retrieved: RetrievedPassages
) -> None:
    states = [(each["filename"], each["state"]) for each in retrieved.not_ready]
    for line in replies.not_ready(language, states):
        stream.line(line)
