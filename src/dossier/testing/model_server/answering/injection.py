"""How a weak model falls for what a passage tells it to do."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LURE = re.compile(
    r"(?:ignore|disregard|forget|override)\b[^\n.]{0,60}"
    r"\b(?:instruction|prompt|rule|context|above)s?"
    r"|(?:忽略|無視|无视|忘記|忘记|不要理會)[^\n。]{0,20}(?:指示|指令|規則|规则|提示|以上|上述)"
    r"|(?:system|assistant)\s*(?:prompt|message)?\s*:\s*",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"[\"“「『`]([^\"”」』`\n]{2,300})[\"”」』`]")
_LINK = re.compile(r"(?:https?://|www\.)[^\s)>\]\"'\uff0c。]+")
_REACH = 600


@dataclass(frozen=True, slots=True)
class Demand:
    """What the passage wants said."""

    lure: str
    """The words that led astray: verbatim, so that even a quote would hold."""
    text: str
    links: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """Yield what a model says that does as it is told."""
        said = _QUOTED.findall(self.text)
        yield from said or [self.text]
        for link in self.links:
            yield f"See [here]({link}) ![]({link})"


def demand_in(text: str) -> Demand | None:
    """Return the first demand that a text makes, if it makes one."""
    found = _LURE.search(text)
    if found is None:
        return None
    rest = " ".join(text[found.end() : found.end() + _REACH].split()).lstrip(
        " .,:;\uff0c。\uff1a"
    )
    links = tuple(dict.fromkeys(_LINK.findall(rest)))
    return Demand(" ".join(found[0].split()), rest, links)
