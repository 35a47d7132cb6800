"""What a server says that it counted, as far as that can be a count."""

_MOST_TOKENS = 10**9


def counted(usage: object, name: str) -> int | None:
    """Return a count of a server's usage; what cannot be one was not told."""
    told = usage.get(name) if isinstance(usage, dict) else None
    if not isinstance(told, int) or isinstance(told, bool):
        return None
    return told if 0 <= told <= _MOST_TOKENS else None
