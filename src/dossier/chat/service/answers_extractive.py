"""An answer without a model: the best sentences, verbatim, with their places."""

from dossier.chat.rules import replies
from dossier.chat.rules.claims import Claim, Quote
from dossier.chat.rules.lures import harmless
from dossier.chat.service.answers_reply import Reply
from dossier.chat.service.answers_sources import Sources
from dossier.core.visible import visible
from dossier.knowledge.service.sentences import Picked, Verdict


def answer_verbatim(reply: Reply, question: str, sources: Sources) -> Verdict:
    """Say the sentences that answer, or the closest ones, or that there are none."""
    language = replies.language_of(question)
    found = sources.extraction(question)
    if found.verdict is Verdict.CLOSEST:
        reply.line(replies.closest(language))
    passages = sources.numbered()
    for picked in found.picked:
        reply.claim(_claim(picked, sources), passages)
    if found.verdict is Verdict.NOT_FOUND:
        refuse(reply, question, sources)
    elif found.verdict is Verdict.CLOSEST:
        name_not_ready(reply, language, sources)
    return found.verdict


def refuse(reply: Reply, question: str, sources: Sources) -> None:
    """Say that nothing supports an answer, and what could not be asked yet."""
    language = replies.language_of(question)
    reply.line(replies.not_found(language))
    name_not_ready(reply, language, sources)


def name_not_ready(reply: Reply, language: str, sources: Sources) -> None:
    """Name the documents that are still to be read."""
    names = [each["filename"] for each in sources.not_ready]
    if names:
        reply.line(replies.not_ready(language, names))


def _claim(picked: Picked, sources: Sources) -> Claim:
    """Return a sentence of a paper as a claim whose proof is itself."""
    passage = sources.passages[picked.passage]
    sentence = picked.sentence
    quote = Quote(passage.number, visible(sentence.text), sentence.start, sentence.end)
    return Claim(harmless(picked.shown, passage.text), (quote,))
