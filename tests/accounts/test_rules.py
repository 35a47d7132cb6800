from uuid import UUID
from zlib import crc32

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
    assert rules.is_active_owner(role=role, is_active=is_active) is expected


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

    own = (
        "Read",
        "Change their own",
        "Make, see and revoke their own",
        "Talk in rooms where one is a member",
    )
    assert all(what.startswith(own) for what in allowed)


SECRETS = st.text(rules.ALPHABET, min_size=32, max_size=32)


@given(key_id=st.uuids(), secret=SECRETS)
def test_token_gives_back_its_key_and_its_secret(key_id: UUID, secret: str) -> None:
    token = rules.token_of(key_id, secret)

    assert rules.parsed_token(token) == (key_id, secret)
    assert token.startswith(f"{rules.token_prefix(key_id)}_")
    assert len(token) == 69


@given(
    key_id=st.uuids(),
    secret=SECRETS,
    at=st.integers(0, 68),
    char=st.sampled_from(rules.ALPHABET + "_- é"),
)
def test_token_with_a_wrong_character_is_not_one(
    key_id: UUID, secret: str, at: int, char: str
) -> None:
    token = rules.token_of(key_id, secret)
    changed = token[:at] + char + token[at + 1 :]

    assert (rules.parsed_token(changed) is None) is (changed != token)


@given(st.text())
def test_other_text_is_no_token(text: str) -> None:
    assert rules.parsed_token(text) is None
    assert rules.parsed_token(rules.TOKEN_MARK + text) is None


def test_number_too_large_for_an_id_is_no_token() -> None:
    body = f"{rules.TOKEN_MARK}{'z' * 22}_{'0' * 32}"
    number, total = crc32(body.encode()), ""
    while len(total) < 6:
        number, digit = divmod(number, 62)
        total = rules.ALPHABET[digit] + total

    assert rules.parsed_token(body + total) is None


def test_secret_has_more_than_160_bits() -> None:
    assert len(rules.ALPHABET) ** rules.SECRET_LENGTH > 2**160


def test_secret_fits_its_own_digest_alone() -> None:
    digest = rules.secret_digest("a" * 32)

    assert rules.is_secret("a" * 32, digest)
    assert not rules.is_secret("b" * 32, digest)


@pytest.mark.parametrize(
    ("role", "scopes", "expected"),
    [
        (Role.OWNER, ["read", "write"], Role.EDITOR),
        (Role.ADMIN, ["read"], Role.EDITOR),
        (Role.OWNER, ["admin", "read"], Role.OWNER),
        (Role.ASSESSOR, ["write"], Role.ASSESSOR),
        (Role.VIEWER, ["admin", "write"], Role.VIEWER),
    ],
)
def test_key_acts_as_its_maker_or_less(
    role: Role, scopes: list[str], expected: Role
) -> None:
    assert rules.role_of_key(role, scopes) is expected
