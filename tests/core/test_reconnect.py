from dossier.core.reconnect import is_lost


def test_error_that_names_itself_as_its_cause_is_not_a_lost_database() -> None:
    error = ValueError("raised from itself")
    error.__cause__ = error

    assert not is_lost(error)
