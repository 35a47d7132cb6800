import asyncpg
import pytest

from dossier.core.reconnect import is_lost, is_transient


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (asyncpg.DeadlockDetectedError("x"), True),
        (asyncpg.LockNotAvailableError("x"), True),
        (asyncpg.QueryCanceledError("x"), True),
        (asyncpg.UniqueViolationError("x"), False),
        (ValueError("x"), False),
    ],
)
def test_error_that_may_pass_is_transient(error: Exception, *, expected: bool) -> None:
    assert is_transient(error) is expected


def test_error_that_names_itself_as_its_cause_is_not_a_lost_database() -> None:
    error = ValueError("raised from itself")
    error.__cause__ = error

    assert not is_lost(error)
