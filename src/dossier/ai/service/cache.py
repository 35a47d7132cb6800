"""The exact cache of answers: one run makes an answer, the others wait for it.

Nothing but the same question under the same circumstances is ever answered from here:
`cache_key` says what the circumstances are.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import orjson

from dossier.ai import gateway
from dossier.ai.constants import MANAGERS, AnswerState
from dossier.ai.schemas import CacheFeatureResponse, CacheResponse
from dossier.core.clock import now
from dossier.core.database import Session
from dossier.core.models import new_id
from dossier.core.tenancy import Actor

CACHE_DAYS = 30
LEAD_S = 300
"""A lead that is older may be taken over; no run lasts longer by default."""


@dataclass(frozen=True, slots=True)
class CacheHit:
    """The answer is stored."""

    payload: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Lead:
    """This run is the one that answers; where it stores nothing, the next one leads."""


@dataclass(frozen=True, slots=True)
class Follow:
    """Another run is making it; wait for that one, then ask again."""

    run_id: UUID


class AnswerCache:
    """The stored answers of one organisation, in the caller's transaction.

    `days=0` switches it off: every run leads, nothing is stored.
    """

    def __init__(
        self,
        session: Session,
        actor: Actor,
        *,
        days: int = CACHE_DAYS,
        lead_s: int = LEAD_S,
    ) -> None:
        self._session = session
        self._org_id = actor.org_id
        self._actor = actor
        self._ttl = timedelta(days=days)
        self._lead = timedelta(seconds=lead_s)

    async def find_or_lead(
        self,
        key: str,
        feature: str,
        run_id: UUID,
        scope: Mapping[str, Any] | None = None,
        *,
        ended: UUID | None = None,
    ) -> CacheHit | Lead | Follow:
        """Return the answer, or who makes it.

        `scope` holds what an answer may later be deleted by (`product_id`, `room_id`).
        `ended` names a leader that was waited for and is known to have left nothing.
        A run that asks again, after it was taken over, leads again. Commit at once:
        until then other runs with the same key wait.
        """
        if not self._ttl:
            return Lead()
        found = await self.find(key)
        if found is not None:
            return found
        await gateway.lock_key_for_org(self._session, self._org_id, key)
        found = await self.find(key)  # stored while we waited for the lock
        if found is not None:
            return found
        values = self._values(key, feature, run_id, scope or {})
        if await gateway.take_lead_for_org(self._session, self._org_id, values, ended):
            return Lead()
        leader = await gateway.get_leader_for_org(self._session, self._org_id, key)
        return Lead() if leader is None else Follow(leader)

    async def store(self, key: str, payload: Mapping[str, Any]) -> bool:
        """Keep the answer of a lead; `False` if it was deleted in the meantime."""
        if not self._ttl:
            return False
        return await gateway.settle_answer_for_org(
            self._session, self._org_id, key, dict(payload), now() + self._ttl
        )

    async def replace(
        self,
        key: str,
        feature: str,
        run_id: UUID,
        payload: Mapping[str, Any],
        scope: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep an answer that was made anew, whatever stood there."""
        if not self._ttl:
            return
        values = self._values(key, feature, run_id, scope or {})
        values |= {
            "state": AnswerState.READY,
            "payload": dict(payload),
            "expires_at": now() + self._ttl,
        }
        await gateway.replace_answer_for_org(self._session, self._org_id, values)

    async def statistics(self) -> CacheResponse:
        """Return how many answers are stored and how often they were given again."""
        rows = await gateway.summarise_answers_for_org(self._session, self._org_id)
        features = [CacheFeatureResponse.of(row) for row in rows]
        ready = [each for each in features if each.state is AnswerState.READY]
        return CacheResponse(
            answers=sum(each.answers for each in ready),
            pending=sum(each.answers for each in features)
            - sum(e.answers for e in ready),
            hits=sum(each.hits for each in features),
            size_bytes=sum(each.size_bytes for each in features),
            features=features,
        )

    async def delete(
        self, scope: Mapping[str, Any] | None = None, *, feature: str | None = None
    ) -> int:
        """Delete what a scope covers, or everything; return how many."""
        self._actor.require(*MANAGERS)
        return await self.forget(scope, feature=feature)

    async def forget(
        self, scope: Mapping[str, Any] | None = None, *, feature: str | None = None
    ) -> int:
        """Delete what a scope covers, for any role: what it was based on is gone."""
        return await gateway.remove_answers_for_org(
            self._session, self._org_id, feature=feature, scope=_plain(scope)
        )

    async def find(self, key: str) -> CacheHit | None:
        """Return a stored answer and count that it was given again."""
        payload = await gateway.hit_answer_for_org(self._session, self._org_id, key)
        return None if payload is None else CacheHit(orjson.loads(payload))

    def _values(
        self, key: str, feature: str, run_id: UUID, scope: Mapping[str, Any]
    ) -> dict[str, Any]:
        moment = now()
        return {
            "id": new_id(),
            "created_at": moment,
            "key": key,
            "feature": feature,
            "scope": _plain(scope),
            "state": AnswerState.PENDING,
            "run_id": run_id,
            "claimed_until": moment + self._lead,
            "hits": 0,
        }


def _plain(scope: Mapping[str, Any] | None) -> dict[str, str]:
    return {name: str(value) for name, value in (scope or {}).items()}


def cache_key(**members: Any) -> str:
    """Return the key of an answer: SHA-256 of its members as canonical JSON.

    An answer depends on organisation, feature, prompt (version and hash), model,
    parameters, versions of tools, version of the corpus, and the input: leaving one out
    would give the answer to another question. Raises `TypeError` for a value that has
    no canonical form.
    """
    text = json.dumps(
        members,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
        allow_nan=False,
        default=_canonical,
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: Any) -> Any:
    if isinstance(value, UUID | Decimal):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    message = f"{type(value).__name__} has no canonical form"
    raise TypeError(message)
