import pytest
from hypothesis import given
from hypothesis import strategies as st

from dossier.accounts import rules
from dossier.accounts.constants import Role


@given(st.emails())
def test_folded_address_stays_the_same_however_it_is_written(address: str) -> None:
    folded = rules.fold_email(address)

    assert rules.fold_email(f" {address.upper()} ") == rules.fold_email(address.upper())
    assert rules.fold_email(folded) == folded


@pytest.mark.parametrize(
    ("role", "is_active", "expected"),
    [
        (Role.OWNER, True, True),
        (Role.OWNER, False, False),
        *((role, True, False) for role in Role if role is not Role.OWNER),
    ],
)
def test_only_an_active_owner_runs_an_organisation(
    role: Role,
    is_active: bool,  # noqa: FBT001 - a table
    expected: bool,  # noqa: FBT001 - a table
) -> None:
    assert rules.leaves_owner(role=role, is_active=is_active) is expected


@given(changed_at_s=st.floats(0, 2e9), age_s=st.integers(-1000, 1000))
def test_token_is_current_from_the_second_of_the_last_change(
    changed_at_s: float, age_s: int
) -> None:
    issued_at_s = int(changed_at_s) + age_s

    assert rules.is_token_current(issued_at_s, changed_at_s) is (age_s >= 0)


def test_owners_may_do_everything() -> None:
    assert all(Role.OWNER in who for who in rules.MATRIX.values())


def test_viewers_change_nothing_but_themselves() -> None:
    allowed = [what for what, who in rules.MATRIX.items() if Role.VIEWER in who]

    own = ("Read", "Change one's own", "Talk in rooms where one is a member")
    assert all(what.startswith(own) for what in allowed)
