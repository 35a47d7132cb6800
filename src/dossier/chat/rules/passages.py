"""Passages as data: fenced, without marks of roles, no longer than the window.

The fence carries a word that nobody who wrote a paper could have known.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from dossier.chat.rules.wording import estimated_tokens
from dossier.core.visible import is_invisible, visible

MIN_TOKENS = 40
"""Less than this of a passage says nothing."""
FENCE_TOKENS = 40
"""What stands around a passage, but for the names of file and place."""

MARKS = re.compile(
    r"<\|[^<>\n]{0,60}?\|>"
    r"|</?s>|\[/?INST\]|<</?SYS>>|</?(?:start|end)_of_(?:turn|text)>|<(?:bos|eos|pad)>"
    r"|</?(?:system|assistant|user|human|developer|tools?|tool_(?:calls?|results?|use)"
    r"|function(?:_calls?|_results?)?|invoke|parameter|instructions?|passages?"
    r"|documents?)(?:[\s:_-][^<>]*)?>"
    r"|^[ \t]*(?:#{1,6}[ \t]*|\*\*)?(?:system|assistant|human|developer|系統|系统|助理"
    r"|助手)(?:[ \t]+(?:prompt|message|note))?(?:\*\*)?[ \t]*[:：]"
    r"|[⟦⟧]",
    re.IGNORECASE | re.MULTILINE,
)
"""Marks by which a model tells who speaks, or that a tool is to be called."""


@dataclass(frozen=True, slots=True)
class Found:
    """A passage to be shown to a model."""

    number: int
    filename: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """What of a passage a model is shown."""

    number: int
    filename: str
    label: str
    text: str


def cleaned(text: str) -> str:
    """Return a text without invisible characters and marks that speak to a model."""
    text = visible(text)
    while (cleaner := MARKS.sub("", text)) != text:  # removing may join a new one
        text = cleaner
    return text


def with_invisible_between(text: str) -> tuple[str, list[int]]:
    """Return a text as it is seen, and where each of its characters stood."""
    offsets = [at for at, each in enumerate(text) if not is_invisible(each)]
    return "".join(text[at] for at in offsets), offsets


def within_window(passages: Sequence[Found], window_tokens: int) -> list[Shown]:
    """Return the best passages, cleaned, cut where the window ends."""
    shown: list[Shown] = []
    left = window_tokens
    for each in passages:
        whole = cleaned(each.text)
        name, label = _attribute(each.filename), _attribute(each.label)
        left -= FENCE_TOKENS + estimated_tokens(name) + estimated_tokens(label)
        text = _cut(whole, max(0, left))
        if estimated_tokens(text) < min(MIN_TOKENS, estimated_tokens(whole)):
            break
        shown.append(Shown(each.number, name, label, text))
        left -= estimated_tokens(text)
    return shown


def _cut(text: str, tokens: int) -> str:
    if estimated_tokens(text) <= tokens:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if estimated_tokens(text[:middle]) <= tokens:
            low = middle
        else:
            high = middle - 1
    return text[:low]


def _attribute(value: str) -> str:
    """A file's name is its uploader's text as well."""
    return re.sub(r"[\"<>\n\r]", " ", cleaned(value))[:200].strip()


def fenced(passages: Sequence[Shown], nonce: str) -> str:
    """Return passages as one block, each within a fence that its text cannot close."""
    return "\n".join(
        f'<passage-{nonce} n="{each.number}" file="{each.filename}"'
        f' place="{each.label}">\n{each.text}\n</passage-{nonce}>'
        for each in passages
    )
