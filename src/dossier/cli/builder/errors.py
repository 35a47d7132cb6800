"""Why a build cannot start; the command exits with 2 and prints the reasons."""


class UnusableInputError(Exception):
    """The folder, the facts or the options cannot be used."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons
