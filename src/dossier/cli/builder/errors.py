"""Why a build cannot start, or cannot go on; the command prints the reasons."""

from typing import Any


class UnusableInputError(Exception):
    """The folder, the facts or the options cannot be used."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class JobFailedError(Exception):
    """A job that the build cannot do without has failed."""

    def __init__(self, kind: str, problem: dict[str, Any]) -> None:
        title = problem.get("title", "cancelled")
        super().__init__(f"{kind}: {title}: {problem.get('detail', '')}")
