"""Errors of the activity log; none of them reaches a client."""


class UnhashableDetailError(TypeError):
    """A detail is of a type whose text may differ after storage."""
