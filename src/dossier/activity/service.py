"""Use cases of the activity log: record, list, seal, verify.

They run in the caller's transaction, so that an event is committed with the change
that it records, or not at all.
"""

from typing import Any
from uuid import UUID

from dossier.activity import gateway, rules
from dossier.activity.constants import (
    GENESIS_HASH,
    Action,
    ActivityStatus,
)
from dossier.activity.models import ActivityEvent, ActivitySeal
from dossier.activity.schemas import VerifyResponse
from dossier.activity.types import ActivityFilter, ChainHead, ChainLink
from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.models import new_id
from dossier.core.pagination import PageParams, Slice
from dossier.core.reads import Row, TenantReader
from dossier.core.tenancy import Actor

SEAL_BATCH = 1000
READERS = ("owner", "admin", "assessor")


class ActivityService:
    """The activity log of one organisation."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session = session
        self._actor = actor

    @staticmethod
    async def organisations(session: Session) -> list[UUID]:
        """Return the organisations with events; needs a system transaction."""
        return await gateway.list_orgs_with_events_for_system(session)

    async def record(
        self,
        action: str,
        entity_type: str,
        entity_id: object,
        *,
        details: dict[str, Any] | None = None,
        status: str = "success",
    ) -> None:
        """Write one event in the caller's transaction.

        `details` holds text, whole numbers, truth values and nestings of them.
        """
        actor = self._actor
        # Events of a key are distinguished from those of its maker in person.
        by_key = {"api_key_id": str(actor.api_key_id)} if actor.api_key_id else {}
        content: dict[str, Any] = {
            "id": new_id(),
            "org_id": actor.org_id,
            "created_at": now(),
            "user_id": actor.user_id,
            "actor_name": clean(actor.name, 200),
            "action": Action(action),
            "entity_type": entity_type,
            "entity_id": None if entity_id is None else str(entity_id),
            "status": ActivityStatus(status),
            "details": (details or {}) | by_key,
            "address": clean(actor.address, 64),
            "user_agent": clean(actor.user_agent, 400),
            "request_id": clean(actor.request_id, 64),
        }
        event = ActivityEvent(**content, row_hash=rules.row_hash(content))
        gateway.add_event(self._session, event)

    async def seal(self) -> int:
        """Chain what is committed and not yet sealed; return how many events."""
        org_id = self._actor.org_id
        if not await gateway.lock_chain_for_org(self._session, org_id):
            return 0  # another process is sealing
        last = await gateway.last_seal_for_org(self._session, org_id)
        pending = await gateway.list_pending_for_org(self._session, org_id, SEAL_BATCH)
        position = last.position if last else 0
        chain = last.chain_hash if last else GENESIS_HASH
        seals: list[ActivitySeal] = []
        for event_id, row in pending:
            position += 1
            chain = rules.chain_hash(chain, row)
            seals.append(
                ActivitySeal(
                    org_id=org_id,
                    position=position,
                    event_id=event_id,
                    row_hash=row,
                    chain_hash=chain,
                )
            )
        await gateway.add_seals(self._session, org_id, seals)
        return len(pending)

    async def verify(self, exported: ChainHead | None = None) -> VerifyResponse:
        """Recompute the whole chain and name the first place where it is broken."""
        self._actor.require(*READERS)
        walk = rules.ChainWalk(exported)
        checked = 0
        while True:
            # The first batch is read from the start: a chain may have lost its first
            # links.
            after = walk.head.position if checked else -1
            rows = await gateway.list_links_for_org(
                self._session, self._actor.org_id, after, SEAL_BATCH
            )
            if not rows:
                break
            for seal, event in rows:
                checked += 1
                content_hash = None
                if event is not None:
                    content = {name: getattr(event, name) for name in _HASHED}
                    content_hash = rules.row_hash(content)
                link = ChainLink(
                    position=seal.position,
                    event_id=seal.event_id,
                    row_hash=seal.row_hash,
                    chain_hash=seal.chain_hash,
                    content_hash=content_hash,
                )
                if not walk.step(link):
                    return await self._verdict(walk, checked)
        walk.finish()
        return await self._verdict(walk, checked)

    async def _verdict(self, walk: rules.ChainWalk, checked: int) -> VerifyResponse:
        unsealed = await gateway.count_unsealed_for_org(
            self._session, self._actor.org_id
        )
        return VerifyResponse.model_validate(
            {
                "checked": checked,
                "unsealed": unsealed,
                "first_broken": walk.broken,
                "head": walk.head,
            }
        )


async def list_events(
    reader: TenantReader, wanted: ActivityFilter, page: PageParams
) -> Slice[Row]:
    """Return events of the organisation, the newest first."""
    reader.actor.require(*READERS)
    return await gateway.list_events_for_org(reader, reader.org_id, wanted, page)


def clean(value: str | None, length: int) -> str | None:
    """Return text that its column takes: no NUL, cut to its length."""
    return None if value is None else value.replace("\x00", "")[:length]


_HASHED = (
    "id",
    "org_id",
    "created_at",
    "user_id",
    "actor_name",
    "action",
    "entity_type",
    "entity_id",
    "status",
    "details",
    "address",
    "user_agent",
    "request_id",
)
