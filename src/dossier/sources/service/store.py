"""What outside sources answered: asked as the mode allows, kept with its proof."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from dossier.core.clock import now
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.models import new_id
from dossier.sources import rules
from dossier.sources.constants import MAX_BODY_BYTES, MODE_SETTING, Mode
from dossier.sources.exceptions import SourceAnswerTooLargeError
from dossier.sources.gateway import answers as gateway
from dossier.sources.models import SourceAnswer
from dossier.sources.rules import Step


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of which source."""

    source: str
    fingerprint: str
    """Of `rules.request_fingerprint`."""
    url: str
    """Where a person may look for themselves; never with a key in it."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a source answered; `is_found` is false where it knows of nothing."""

    status: int
    body: bytes
    parser_version: str
    is_found: bool = True
    media_type: str | None = None


@dataclass(frozen=True, slots=True)
class NotAsked:
    """Nobody was asked; `setting` names what would have to be set otherwise."""

    setting: str = MODE_SETTING


class SourceStore:
    """The stored answers of one organisation, in short transactions of its own.

    `integrations` take it as a recorder: `recall` and `remember` are all they know.
    """

    def __init__(self, sessions: SessionFactory, org_id: UUID, mode: Mode) -> None:
        self._sessions = sessions
        self._org_id = org_id
        self._mode = mode

    async def ask(
        self,
        request: Request,
        fetch: Callable[[], Awaitable[Fetched]],
        max_age: timedelta | None = None,
    ) -> SourceAnswer | NotAsked:
        """Return what is stored, or fetch it, or neither, as the mode says.

        No transaction is open while the source is asked. `max_age` is how old a stored
        answer may be where asking is allowed; without it any age will do.
        """
        stored = None
        if self._mode != "offline":
            stored = await self.recall(request.source, request.fingerprint)
        step = rules.next_step(
            self._mode,
            is_stored=stored is not None,
            is_fresh=stored is not None and _is_fresh(stored, max_age),
        )
        if step is Step.FETCH:
            return await self.remember(request, await fetch())
        if step is Step.REFUSE or stored is None:
            return NotAsked()
        return stored

    async def recall(self, source: str, fingerprint: str) -> SourceAnswer | None:
        """Return the newest stored answer to a request."""
        async with tenant_transaction(self._sessions, self._org_id) as session:
            return await gateway.get_newest_answer_for_org(
                session, self._org_id, source, fingerprint
            )

    async def remember(self, request: Request, fetched: Fetched) -> SourceAnswer:
        """Store an answer; "nothing found" is one as well."""
        size_bytes = len(fetched.body)
        if size_bytes > MAX_BODY_BYTES:
            detail = f"{request.source} answered with {size_bytes} bytes."
            raise SourceAnswerTooLargeError(detail)
        moment = now()
        values = {
            "id": new_id(),
            "created_at": moment,
            "org_id": self._org_id,
            "source": request.source,
            "fingerprint": request.fingerprint,
            "url": request.url,
            "status": fetched.status,
            "is_found": fetched.is_found,
            "sha256": rules.body_digest(fetched.status, fetched.body),
            "media_type": fetched.media_type,
            "body": fetched.body,
            "parser_version": fetched.parser_version,
            "fetched_at": moment,
        }
        async with tenant_transaction(self._sessions, self._org_id) as session:
            return await gateway.add_answer(session, values)


def _is_fresh(stored: SourceAnswer, max_age: timedelta | None) -> bool:
    return max_age is None or now() - stored.fetched_at <= max_age
