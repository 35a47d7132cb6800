"""Finding out who an API key belongs to, and remembering when it was used.

Opens its own transactions; when a key was used is written a little later, so that
nobody waits for it.
"""

import asyncio
import logging
import math
from datetime import datetime, timedelta
from uuid import UUID

from dossier.accounts import rules
from dossier.accounts.constants import Role
from dossier.accounts.exceptions import InvalidApiKeyError
from dossier.accounts.gateway import api_keys as gateway
from dossier.accounts.gateway.api_keys import FoundKey
from dossier.accounts.service.sign_in import Principal
from dossier.core.clock import now
from dossier.core.database import SessionFactory, system_transaction

logger = logging.getLogger(__name__)

USED_WITHIN = timedelta(minutes=1)
"""How exact `last_used_at` is: a key in constant use is written once in that time."""
WRITE_AFTER_S = 5.0


class KeyUses:
    """Gathers which keys were used, and writes them together. One per process."""

    def __init__(
        self, sessions: SessionFactory, write_after_s: float = WRITE_AFTER_S
    ) -> None:
        self._sessions = sessions
        self._write_after_s = write_after_s
        self._noted: dict[UUID, datetime] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    def note(self, key_id: UUID, last_used_at: datetime | None) -> None:
        """Take a use along, unless one of the last minute is written already."""
        moment = now()
        if last_used_at is not None and moment - last_used_at < USED_WITHIN:
            return
        self._noted[key_id] = moment
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._write_after_s, self._begin)

    async def write(self) -> None:
        """Write what was gathered."""
        noted, self._noted = self._noted, {}
        if noted:
            async with system_transaction(self._sessions) as session:
                await gateway.mark_used_for_system(session, noted)

    async def close(self) -> None:
        """Write what is left."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is not None:
            await self._writing
        await self._attempt()

    def _begin(self) -> None:
        self._timer = None
        self._writing = asyncio.create_task(self._attempt())

    async def _attempt(self) -> None:
        try:
            await self.write()
        except Exception as exc:  # noqa: BLE001 - nobody waits; the next use is told again
            logger.warning("accounts.api_key.use_lost", extra={"error": repr(exc)})


class KeySignInService:
    """Turns the token of an API key into a principal."""

    def __init__(self, sessions: SessionFactory, uses: KeyUses) -> None:
        self._sessions = sessions
        self._uses = uses

    async def principal_of(self, token: str) -> tuple[Principal, float]:
        """Return who a token acts for today, and when it expires, or raise.

        What was never a token of ours is refused without a look at the database.
        """
        parsed = rules.parsed_token(token)
        if parsed is None:
            raise InvalidApiKeyError
        key_id, secret = parsed
        async with system_transaction(self._sessions) as session:
            found = await gateway.find_api_key_for_system(session, key_id)
        if found is None or not rules.is_secret(secret, found.secret_sha256):
            raise InvalidApiKeyError
        if found.expires_at is not None and found.expires_at <= now():
            raise InvalidApiKeyError
        self._uses.note(key_id, found.last_used_at)
        return _principal(key_id, found), _expires_at_s(found)


def _principal(key_id: UUID, found: FoundKey) -> Principal:
    return Principal(
        found.org_id,
        found.user_id,
        rules.role_of_key(Role(found.role), found.scopes),
        found.name,
        api_key_id=key_id,
        scopes=frozenset(found.scopes),
    )


def _expires_at_s(found: FoundKey) -> float:
    return math.inf if found.expires_at is None else found.expires_at.timestamp()
