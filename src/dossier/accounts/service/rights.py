"""The rights of an actor, read again under lock, and what a change of them drops.

A principal is cached for some seconds (`PrincipalCache`), so that its role may be one
that the member has lost. Use cases that give rights, or spend, do not rely on it.
"""

from collections.abc import Callable
from dataclasses import replace

from dossier.accounts import gateway, rules
from dossier.accounts.constants import Role
from dossier.accounts.exceptions import InvalidApiKeyError
from dossier.core.database import Session, after_commit
from dossier.core.security import InvalidTokenError
from dossier.core.tenancy import SYSTEM_ACTOR, Actor


async def confirm(session: Session, actor: Actor) -> Actor:
    """Return the actor with the role it has now, or raise 401 where it has none.

    Changes of rights in one organisation wait for each other until their transactions
    end: what was confirmed holds at the commit, and two owners who demote each other
    cannot deadlock.
    """
    if actor.role == SYSTEM_ACTOR:
        return actor
    await gateway.lock_rights_for_org(session, actor.org_id)
    found = None
    if actor.user_id is not None:
        found = await gateway.find_rights_for_org(
            session, actor.org_id, actor.user_id, actor.api_key_id
        )
    if found is None:
        raise InvalidTokenError if actor.api_key_id is None else InvalidApiKeyError
    role, scopes = Role(found.role), found.scopes
    return replace(
        actor, role=role if scopes is None else rules.role_of_key(role, scopes)
    )


async def drop_principals(session: Session, forget: Callable[[], None]) -> None:
    """Drop cached principals at the commit: here, and in the processes that listen."""
    after_commit(session, forget)
    await gateway.add_rights_notification(session)
