"""Use cases of API keys, within the transaction of the caller.

A secret is returned once; only its digest is stored.
"""

import secrets
from collections.abc import Callable
from typing import Any
from uuid import UUID

from dossier.accounts import gateway, rules
from dossier.accounts.constants import MAX_LIVE_KEYS
from dossier.accounts.exceptions import (
    ApiKeyExpiredError,
    ApiKeyExpiryError,
    ApiKeyLimitError,
    ApiKeyNotFoundError,
    ApiKeyRevokedError,
    UserNotFoundError,
)
from dossier.accounts.models import ApiKey
from dossier.accounts.schemas import ApiKeyCreate
from dossier.accounts.service import rights
from dossier.activity.service import ActivityService
from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.errors import Fault
from dossier.core.pagination import PageParams, Slice
from dossier.core.tenancy import SYSTEM_ACTOR, Actor


class ApiKeysService:
    """A member's own keys; to owners and admins, everybody's.

    For changes the actor is one that `rights.confirm` returned. `forget` clears this
    process's cache of principals.
    """

    def __init__(
        self,
        session: Session,
        actor: Actor,
        activity: ActivityService,
        forget: Callable[[], None],
    ) -> None:
        self._session = session
        self._actor = actor
        self._activity = activity
        self._forget = forget

    async def create_api_key(self, wanted: ApiKeyCreate) -> tuple[ApiKey, str]:
        """Make a key in the caller's name; return it with its token."""
        self._actor.require_person()
        maker_id = await self._own_id()
        live = await gateway.count_live_keys_for_org(
            self._session, self._actor.org_id, maker_id
        )
        if live >= MAX_LIVE_KEYS:
            detail = f"{live} keys are in force, {MAX_LIVE_KEYS} may be: revoke one."
            raise ApiKeyLimitError(detail)
        if wanted.expires_at is not None and wanted.expires_at <= now():
            detail = "Give an instant in the future, or none."
            fault = Fault("#/expires_at", detail, "past")
            raise ApiKeyExpiryError(detail, faults=(fault,))
        secret = _new_secret()
        api_key = ApiKey(
            org_id=self._actor.org_id,
            user_id=maker_id,
            name=wanted.name,
            scopes=sorted(wanted.scopes),
            expires_at=wanted.expires_at,
            secret_sha256=rules.secret_digest(secret),
        )
        await gateway.add_api_key(self._session, api_key)
        await self._record("create", api_key, {"scopes": api_key.scopes})
        return api_key, rules.token_of(api_key.id, secret)

    async def list_api_keys(self, page: PageParams) -> Slice[ApiKey]:
        """Return one page of keys, revoked ones too, the newest first."""
        self._actor.require_person()
        return await gateway.list_api_keys_for_org(
            self._session, self._actor.org_id, await self._whose(), page
        )

    async def get_api_key(self, key_id: UUID) -> ApiKey:
        """Return one key, in force or not."""
        self._actor.require_person()
        return await self._api_key(key_id, await self._whose())

    async def rotate_api_key(self, key_id: UUID) -> tuple[ApiKey, str]:
        """Give the caller's own key a new secret; the former one is no longer valid."""
        self._actor.require_person()
        api_key = await self._api_key(key_id, await self._own_id())
        if api_key.revoked_at is not None:
            raise ApiKeyRevokedError
        if api_key.expires_at is not None and api_key.expires_at <= now():
            raise ApiKeyExpiredError
        secret = _new_secret()
        api_key.secret_sha256 = rules.secret_digest(secret)
        await self._record("update", api_key, {"changed": ["secret"]})
        await rights.drop_principals(self._session, self._forget)
        return api_key, rules.token_of(api_key.id, secret)

    async def revoke_api_key(self, key_id: UUID) -> None:
        """End a key for good; one that was revoked stays so."""
        self._actor.require_person()
        api_key = await self._api_key(key_id, await self._whose())
        revoked = await gateway.mark_revoked_for_org(
            self._session, self._actor.org_id, api_key.user_id, key_id
        )
        if revoked:
            await self._record("delete", api_key, {})
            await rights.drop_principals(self._session, self._forget)

    async def _own_id(self) -> UUID:
        """Return the actor's user id, or raise where the actor is no member."""
        user_id = self._actor.user_id
        member = None
        if user_id is not None:
            member = await gateway.get_member_for_org(
                self._session, self._actor.org_id, user_id
            )
        if member is None:
            raise UserNotFoundError(user_id)
        return member.user_id

    async def _whose(self) -> UUID | None:
        if self._actor.role in (SYSTEM_ACTOR, *rules.MANAGES_API_KEYS):
            return None
        return await self._own_id()

    async def _api_key(self, key_id: UUID, user_id: UUID | None) -> ApiKey:
        api_key = await gateway.get_api_key_for_org(
            self._session, self._actor.org_id, key_id, user_id
        )
        if api_key is None:
            raise ApiKeyNotFoundError(key_id)
        return api_key

    async def _record(
        self, action: str, api_key: ApiKey, details: dict[str, Any]
    ) -> None:
        named = {"name": api_key.name, "user_id": str(api_key.user_id)}
        await self._activity.record(
            action, "api_key", api_key.id, details=named | details
        )


def _new_secret() -> str:
    return "".join(secrets.choice(rules.ALPHABET) for _ in range(rules.SECRET_LENGTH))
