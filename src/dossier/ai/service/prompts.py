"""The prompts that ship: versioned files, never edited, only followed by a newer one.

`prompts/<name>/<version>.md`; a test holds the digest of every shipped version.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from dossier.ai.exceptions import PromptMissingError

PROMPTS = Path(__file__).parents[1] / "prompts"


@dataclass(frozen=True, slots=True)
class Prompt:
    """One version of one prompt."""

    name: str
    version: int
    text: str
    sha256: str

    @property
    def label(self) -> str:
        """Return name and version as `name@version`."""
        return f"{self.name}@{self.version}"


@lru_cache(maxsize=64)
def load_prompt(
    name: str, version: int | None = None, folder: Path = PROMPTS
) -> Prompt:
    """Return a version of a prompt, the newest unless stated."""
    known = {int(path.stem): path for path in (folder / name).glob("*.md")}
    if not known:
        raise PromptMissingError(name)
    wanted = max(known) if version is None else version
    if wanted not in known:
        label = f"{name}@{wanted}"
        raise PromptMissingError(label)
    text = known[wanted].read_text("utf-8")
    return Prompt(name, wanted, text, hashlib.sha256(text.encode()).hexdigest())
