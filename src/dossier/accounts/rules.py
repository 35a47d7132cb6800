"""Who may do what, and which change would leave nobody in charge."""

from dossier.accounts.constants import Role

OWNER, ADMIN, EDITOR, ASSESSOR, VIEWER = Role

MATRIX: dict[str, tuple[Role, ...]] = {
    "Read products, documents, the PIF board, reports and jobs": tuple(Role),
    "Change one's own name, e-mail address and password": tuple(Role),
    "Change products, import formulas, link papers": (OWNER, ADMIN, EDITOR),
    "Upload documents": (OWNER, ADMIN, EDITOR, ASSESSOR),
    "Delete documents": (OWNER, ADMIN, EDITOR),
    "Declare items 5 and 8": (OWNER, ADMIN, EDITOR),
    "Waive items 11 to 13": (OWNER, ASSESSOR),
    "Freeze versions, ask for reports": (OWNER, ADMIN, EDITOR, ASSESSOR),
    "Cancel and retry jobs": (OWNER, ADMIN, EDITOR, ASSESSOR),
    "Read and verify the trail of activity": (OWNER, ADMIN, ASSESSOR),
    "See the usage and cost of models": (OWNER, ADMIN),
    "Set model budgets, clear stored answers": (OWNER, ADMIN),
    "Talk in rooms where one is a member, keep virtual users": tuple(Role),
    "List, create and change users": (OWNER,),
}
"""The role matrix; `docs/roles.md` is made from it."""

MANAGES_USERS = MATRIX["List, create and change users"]


def fold_email(address: str) -> str:
    """Return the form under which an e-mail address is unique."""
    return address.strip().casefold()


def leaves_owner(*, role: Role, is_active: bool) -> bool:
    """Tell whether a member of this role and state can still run the organisation."""
    return role is Role.OWNER and is_active


def is_token_current(issued_at_s: int, credentials_changed_at_s: float) -> bool:
    """Tell whether a token is younger than the last change of the password.

    Tokens know whole seconds, so one of the same second still counts.
    """
    return issued_at_s >= int(credentials_changed_at_s)


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
    )
    return "\n".join([intro, head, rule, *rows]) + "\n"
