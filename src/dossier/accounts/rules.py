"""The role matrix, rules of members and tokens, and the form of API keys."""

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Collection
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Final
from uuid import UUID
from zlib import crc32

from dossier.accounts.constants import Role, Scope

OWNER, ADMIN, EDITOR, ASSESSOR, VIEWER = Role

MATRIX: dict[str, tuple[Role, ...]] = {
    "Read products, documents, the PIF board, reports and jobs": tuple(Role),
    "Change their own name, e-mail address and password": tuple(Role),
    "Change products, import formulas, link documents": (OWNER, ADMIN, EDITOR),
    "Upload documents": (OWNER, ADMIN, EDITOR, ASSESSOR),
    "Delete documents": (OWNER, ADMIN, EDITOR),
    "Declare items 5 and 8": (OWNER, ADMIN, EDITOR),
    "Waive items 11 to 13": (OWNER, ASSESSOR),
    "Freeze versions, ask for reports": (OWNER, ADMIN, EDITOR, ASSESSOR),
    "Cancel and retry jobs": (OWNER, ADMIN, EDITOR, ASSESSOR),
    "Read and verify the activity log": (OWNER, ADMIN, ASSESSOR),
    "See the usage and cost of models": (OWNER, ADMIN),
    "Set model budgets, clear stored answers": (OWNER, ADMIN),
    "Talk in rooms where one is a member, keep virtual users": tuple(Role),
    "Make, see and revoke their own API keys": tuple(Role),
    "See and revoke everybody's API keys": (OWNER, ADMIN),
    "List, invite and change users": (OWNER,),
}
"""The role matrix; `docs/roles.md` is made from it."""

MANAGES_USERS = MATRIX["List, invite and change users"]
MANAGES_API_KEYS = MATRIX["See and revoke everybody's API keys"]

TOKEN_MARK: Final = "dossier_"  # noqa: S105 - how every token begins, no token
SECRET_LENGTH: Final = 32
"""Of 62 characters each: 190 bits."""
ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_LENGTH: Final = 22  # 128 bits of a UUID in base 62
_SUM_LENGTH: Final = 6  # 32 bits of a CRC in base 62
_TOKEN: Final = re.compile(
    f"({TOKEN_MARK}([0-9A-Za-z]{{{_ID_LENGTH}}})_([0-9A-Za-z]{{{SECRET_LENGTH}}}))"
    f"([0-9A-Za-z]{{{_SUM_LENGTH}}})"
)
MAX_LOGIN_DELAY_S: Final = 30
_WRITTEN_TOGETHER: Final = (
    {"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"},
    {"LATIN", "CJK", "BOPOMOFO"},
    {"LATIN", "CJK", "HANGUL"},
)
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def fold_email(address: str) -> str:
    """Return the form under which an e-mail address is unique."""
    return address.strip().casefold()


def check_scripts(address: str) -> str:
    """Return an e-mail address, or raise `ValueError` for one that imitates another.

    The part before `@`, and each label of the domain, has letters of one script, or of
    a mix that people write (UTS 39, highly restrictive), and no compatibility forms.
    """
    if unicodedata.normalize("NFKC", address) != address:
        message = "must be written with plain characters, as they are on a keyboard"
        raise ValueError(message)
    local, _, domain = address.rpartition("@")
    for part in (local, *domain.split(".")):
        letters = [char for char in part if char.isalpha()]
        scripts = {unicodedata.name(char, "UNNAMED").split()[0] for char in letters}
        if len(scripts) > 1 and not any(scripts <= mix for mix in _WRITTEN_TOGETHER):
            named = ", ".join(sorted(script.title() for script in scripts))
            message = f"must not mix scripts: `{part}` has letters of {named}"
            raise ValueError(message)
    return address


def login_wait_s(failures: int, allowed: int, since_last_s: float) -> float:
    """Return how long after the last wrong password another attempt must wait.

    The first ones are `allowed` at once; then 1, 2, 4 ... s, 30 s at most.
    """
    if failures < allowed:
        return 0
    delay_s = min(MAX_LOGIN_DELAY_S, 1 << min(failures - allowed, 10))
    return max(0.0, delay_s - since_last_s)


def address_network(address: str | None) -> str:
    """Return what counts as one address: of IPv6 the /64, which one customer has."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return address or "unknown"
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((parsed, 64), strict=False))


def is_active_owner(*, role: Role, is_active: bool) -> bool:
    """Return whether a member of this role and state is an active owner."""
    return role is Role.OWNER and is_active


def is_token_current(issued_at_s: int, credentials_changed_at_s: float) -> bool:
    """Return whether a token was issued after the last change of the password.

    Tokens hold whole seconds, so one of the same second still counts.
    """
    return issued_at_s >= int(credentials_changed_at_s)


def token_prefix(key_id: UUID) -> str:
    """Return the part of a token that names its key and is no secret."""
    return TOKEN_MARK + _base62(key_id.int, _ID_LENGTH)


def token_of(key_id: UUID, secret: str) -> str:
    """Return the token of a key; its last characters are the sum of the others."""
    body = f"{token_prefix(key_id)}_{secret}"
    return body + _sum_of(body)


def parsed_token(token: str) -> tuple[UUID, str] | None:
    """Return a token's key and secret, `None` for a text that is no token of ours."""
    found = _TOKEN.fullmatch(token)
    if found is None or _sum_of(found[1]) != found[4]:
        return None
    number = 0
    for digit in found[2]:
        number = number * len(ALPHABET) + ALPHABET.index(digit)
    return (UUID(int=number), found[3]) if number >> 128 == 0 else None


def secret_digest(secret: str) -> str:
    """Return what is stored of a secret; it is random, so that no salt is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_secret(secret: str, stored_sha256: str) -> bool:
    """Return whether a secret is the stored one, in constant time."""
    return hmac.compare_digest(secret_digest(secret), stored_sha256)


def scope_for(method: str) -> Scope:
    """Return the scope that a request of this method needs."""
    return Scope.READ if method in _SAFE_METHODS else Scope.WRITE


def role_of_key(role: Role, scopes: Collection[str]) -> Role:
    """Return what a key acts as: its maker's role of today, or less."""
    is_capped = role in MANAGES_API_KEYS and Scope.ADMIN not in scopes
    return EDITOR if is_capped else role


def _sum_of(body: str) -> str:
    return _base62(crc32(body.encode()), _SUM_LENGTH)


def _base62(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits


def matrix_markdown() -> str:
    """Return the role matrix as the page in `docs`."""
    head = "| | " + " | ".join(role.value for role in Role) + " |"
    rule = "|---" * (len(Role) + 1) + "|"
    rows = [
        f"| {what} | " + " | ".join("x" if r in who else "" for r in Role) + " |"
        for what, who in MATRIX.items()
    ]
    intro = (
        "# Roles\n\nGenerated from `dossier.accounts.rules.MATRIX` by "
        "`python scripts/settings_docs.py`.\nA member has one role in one "
        "organisation. What a role does not include is answered with 403\n"
        "(`/problems/role-required`); what belongs to another organisation with 404.\n"
        "An API key acts in its maker's name, and as an editor at most unless it has "
        "the\nscope `admin` ([api-keys.md](api-keys.md)).\n"
    )
    return "\n".join([intro, head, rule, *rows]) + "\n"
