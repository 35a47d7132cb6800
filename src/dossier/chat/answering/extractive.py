"""An answer without a model: the best sentences, verbatim, with their places."""

from dossier.chat.answering.retrieval import Sources
from dossier.chat.answering.stream import AnswerStream
from dossier.chat.rules import replies
from dossier.chat.rules.claims import Claim, Quote
from dossier.chat.rules.prompt_injection import harmless
from dossier.core.visible import visible
from dossier.knowledge.extraction import AnswerVerdict, Picked


def answer_verbatim(stream: AnswerStream, question: str, sources: Sources) -> None:
    """Write the sentences that answer, or the closest ones, or that there are none."""
    found = sources.extraction(question)
    if found.verdict is AnswerVerdict.NOT_FOUND:
        refuse(stream, question, sources)
        return
    language = replies.language_of(question)
    if found.verdict is AnswerVerdict.CLOSEST:
        stream.line(replies.closest(language))
    passages = sources.numbered()
    for picked in found.picked:
        stream.claim(_claim(picked, sources), passages)
    if found.verdict is AnswerVerdict.CLOSEST:
        _name_not_ready(stream, language, sources)


def refuse(stream: AnswerStream, question: str, sources: Sources) -> None:
    """Write that nothing supports an answer, and what could not be searched yet."""
    language = replies.language_of(question)
    stream.line(replies.not_found(language))
    _name_not_ready(stream, language, sources)


def _name_not_ready(stream: AnswerStream, language: str, sources: Sources) -> None:
    names = [each["filename"] for each in sources.not_ready]
    if names:
        stream.line(replies.not_ready(language, names))


def _claim(picked: Picked, sources: Sources) -> Claim:
    """Return a sentence of a paper as a claim that quotes itself."""
    passage = sources.passages[picked.passage]
    sentence = picked.sentence
    quote = Quote(passage.number, visible(sentence.text), sentence.start, sentence.end)
    return Claim(harmless(picked.shown, passage.text), (quote,))
