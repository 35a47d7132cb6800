"""Regular expressions that are compiled when first used.

The rules hold a hundred of them; to compile all would take a twentieth of a start,
and a process uses few.
"""

import re
from typing import Any, cast


class _Late:
    """Stands for a pattern; what was asked for once is no longer looked for."""

    def __init__(self, source: str, flags: int) -> None:
        self._source = source
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        member = getattr(re.compile(self._source, self._flags), name)
        setattr(self, name, member)
        return member


def pattern(source: str, flags: int = 0) -> re.Pattern[str]:
    """Return what is used as a compiled pattern is."""
    return cast("re.Pattern[str]", _Late(source, flags))
