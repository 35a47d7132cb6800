"""Questions to outside sources, for the workers of one process.

A question may name an ingredient that nobody outside may know of, so none is asked
unless `DOSSIER_SOURCES__MODE` is `live`. Every answer is stored, "nothing found" too.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal
from uuid import UUID

import orjson

from dossier.core.clock import now
from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.errors import AppError
from dossier.core.settings import SourcesSettings
from dossier.integrations.literature.sources import SOURCES, Credentials
from dossier.integrations.literature.types import SourceHit, SourceRank
from dossier.sources import gateway
from dossier.sources.service import SourceRates

if TYPE_CHECKING:  # the HTTP client is imported only where a source may be asked
    from dossier.integrations.literature.client import LiteratureClient

PARSER: Final = "literature@2"
"""Version of the reading of answers; another one does not use what is stored."""
NOT_ASKED: Final = "Nothing was asked: set DOSSIER_SOURCES__MODE to `live`."
NOT_STORED: Final = "Not stored yet, and DOSSIER_SOURCES__MODE is `cache`."

SourceStatus = Literal["found", "nothing_found", "not_asked", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceResult:
    """What a source said, or why it said nothing."""

    source: str
    status: SourceStatus
    hits: tuple[SourceHit, ...] = ()
    reason: str | None = None
    answer_id: UUID | None = None
    sha256: str | None = None
    """Of the answer as it came."""
    retrieved_at: datetime | None = None


class LiteratureService:
    """Asks sources for organisations; no transaction is open while one is asked."""

    def __init__(
        self,
        sessions: SessionFactory,
        settings: SourcesSettings,
        client: "LiteratureClient | None",
    ) -> None:
        self._sessions = sessions
        self._mode = settings.mode
        self._fresh = timedelta(days=settings.fresh_days)
        self._client = client
        self._rates = SourceRates(sessions)

    async def search(
        self, org_id: UUID, source: str, query: str, limit: int
    ) -> SourceResult:
        """Return what a source finds; its failure is a result with a reason."""
        asked = orjson.dumps([source, " ".join(query.split()), limit])
        fingerprint = hashlib.sha256(asked).hexdigest()
        if self._mode == "offline":
            return SourceResult(source=source, status="not_asked", reason=NOT_ASKED)
        stored = await self._stored(org_id, source, fingerprint)
        if stored is not None:
            return stored
        if self._client is None or self._mode == "cache":
            return SourceResult(source=source, status="not_asked", reason=NOT_STORED)
        try:
            hits, answer = await self._client.search(
                SOURCES[source], query, limit, self._rates.wait_for_turn
            )
        except AppError as exc:
            reason = exc.detail or exc.title
            return SourceResult(source=source, status="failed", reason=reason)
        fetched_at, sha256 = now(), hashlib.sha256(answer.body).hexdigest()
        values = {
            "org_id": org_id,
            "source": source,
            "fingerprint": fingerprint,
            "url": answer.url,
            "status": answer.status,
            "is_found": bool(hits),
            "sha256": sha256,
            "media_type": answer.media_type,
            # What was read of it: an answer of PubMed takes two questions.
            "body": orjson.dumps([asdict(each) for each in hits]),
            "parser_version": PARSER,
            "fetched_at": fetched_at,
        }
        async with tenant_transaction(self._sessions, org_id) as session:
            answer_id = await gateway.add_answer(session, values)
        return _result(source, hits, answer_id, sha256, fetched_at)

    async def _stored(
        self, org_id: UUID, source: str, fingerprint: str
    ) -> SourceResult | None:
        since = now() - self._fresh
        async with tenant_transaction(self._sessions, org_id) as session:
            found = await gateway.find_answer_for_org(
                session,
                org_id,
                source=source,
                fingerprint=fingerprint,
                parser_version=PARSER,
                since=since,
            )
        if found is None:
            return None
        hits = [
            SourceHit(
                **each
                | {
                    "authors": tuple(each["authors"]),
                    "rank": SourceRank(each["rank"]),
                }
            )
            for each in orjson.loads(found.body)
        ]
        return _result(source, hits, found.id, found.sha256, found.fetched_at)


def _result(
    source: str,
    hits: list[SourceHit],
    answer_id: UUID,
    sha256: str,
    retrieved_at: datetime,
) -> SourceResult:
    return SourceResult(
        source=source,
        status="found" if hits else "nothing_found",
        hits=tuple(hits),
        answer_id=answer_id,
        sha256=sha256,
        retrieved_at=retrieved_at,
    )


@asynccontextmanager
async def opened_literature(
    sessions: SessionFactory, settings: SourcesSettings
) -> AsyncIterator[LiteratureService]:
    """Yield the service of a process; leaving closes its connections."""
    if settings.mode != "live":
        yield LiteratureService(sessions, settings, None)
        return
    from dossier.integrations.literature.client import (  # noqa: PLC0415 - HTTP client
        LiteratureClient,
    )

    tavily, pubmed = settings.tavily_api_key, settings.pubmed_api_key
    credentials = Credentials(
        contact=settings.contact,
        tavily_key=tavily.get_secret_value() if tavily else None,
        pubmed_key=pubmed.get_secret_value() if pubmed else None,
    )
    client = LiteratureClient(credentials, settings.base_urls)
    try:
        yield LiteratureService(sessions, settings, client)
    finally:
        await client.close()
