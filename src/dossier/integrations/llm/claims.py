"""What a server says of an answer, as far as it can be believed."""

_MOST_TOKENS = 10**9
_LONGEST_NAME = 200


def counted(usage: object, name: str) -> int | None:
    """Return a count of a server's usage; what cannot be one was not told."""
    told = usage.get(name) if isinstance(usage, dict) else None
    if not isinstance(told, int) or isinstance(told, bool):
        return None
    return told if 0 <= told <= _MOST_TOKENS else None


def model_named(told: object) -> str:
    """Return a model's name, cut where it is no name any more; `""`: none was told."""
    return told.replace("\0", "")[:_LONGEST_NAME] if isinstance(told, str) else ""
