"""Vectors from a server of OpenAI's wire."""

import base64
import math
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from dossier.integrations.llm import faults
from dossier.integrations.llm.booking import Booking, booked
from dossier.integrations.llm.claims import counted
from dossier.integrations.llm.exceptions import ModelResponseMalformedError
from dossier.integrations.llm.faults import AttemptFailedError
from dossier.integrations.llm.models import CallTag, Purpose, Recorder, Usage
from dossier.integrations.llm.plan import ModelPlan, ModelServer
from dossier.integrations.llm.route import Breakers, Route, routed
from dossier.integrations.llm.timing import SYSTEM_TIMING, Timing
from dossier.integrations.llm.tokens import estimate_tokens
from dossier.integrations.llm.transport import Transport
from dossier.integrations.llm.wires import wire_of

_PATH = "/embeddings"
MAX_BATCH_TEXTS = 64
MAX_BATCH_TOKENS = 16_000
MAX_DIMENSIONS = 16_000


class EmbeddingClient:
    """Embeds texts in batches; one object serves a whole process."""

    def __init__(
        self,
        plan: ModelPlan,
        server: ModelServer,
        recorder: Recorder,
        timing: Timing = SYSTEM_TIMING,
    ) -> None:
        self._limits = plan.limits
        self._server = server
        self._recorder = recorder
        self._timing = timing
        self._breakers = Breakers(plan.limits, timing)
        self._opened: Transport | None = None

    @property
    def name(self) -> str:
        """Return the model's name; vectors of two names are never compared."""
        return self._server.models[Purpose.EMBEDDING]

    async def close(self) -> None:
        """Give the connections up."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.close()

    async def embed(self, texts: Sequence[str], tag: CallTag) -> list[list[float]]:
        """Return one vector for each text, all of one length."""
        vectors: list[list[float]] = []
        for batch in batches(texts):
            vectors += await self._embed_batch(batch, tag)
        if any(len(one) != len(other) for one, other in pairwise(vectors)):
            raise ModelResponseMalformedError(_of_many_sizes(self._server))
        return vectors

    async def _embed_batch(
        self, texts: Sequence[str], tag: CallTag
    ) -> list[list[float]]:
        limits = self._limits
        route = Route((self._server,), self._breakers, limits, self._timing)

        async def ask(server: ModelServer) -> list[list[float]]:
            return await self._ask(server, texts, tag)

        async with self._transport().seat(limits.first_token_timeout_s):
            try:
                return await routed(route, ask)
            except AttemptFailedError as failed:
                raise failed.error from failed

    async def _ask(
        self, server: ModelServer, texts: Sequence[str], tag: CallTag
    ) -> list[list[float]]:
        tokens = sum(map(estimate_tokens, texts))
        booking = Booking(server, self.name, self._timing, tokens)
        paid_by = replace(tag, operation="embeddings")
        async with booked(self._recorder, paid_by, tokens, booking):
            told = await self._transport().fetch(
                server,
                _PATH,
                wire_of(server).headers(server),
                _body(server, self.name, texts),
                self._limits,
            )
            try:
                booking.note(_usage(told))
                vectors = _vectors(told["data"], len(texts))
            except (TypeError, ValueError, LookupError, AttributeError) as error:
                raise faults.malformed(server.label, _WRONG) from error
            booking.finish()
            return vectors

    def _transport(self) -> Transport:
        if self._opened is None:
            self._opened = Transport.shared(self._limits)
        return self._opened


_WRONG = "what are not as many equal vectors of finite numbers"


def open_embedder(
    plan: ModelPlan, recorder: Recorder, timing: Timing = SYSTEM_TIMING
) -> EmbeddingClient | None:
    """Return the client of a process, to be closed; `None`: no embedding model is set.

    It shares its connections and its places with the chat client of the process.
    """
    if plan.embedder is None:
        return None
    return EmbeddingClient(plan, plan.embedder, recorder, timing)


def batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """Cut texts into batches that a server takes at once; one text is never cut."""
    batch: list[str] = []
    tokens = 0
    for text in texts:
        more = estimate_tokens(text)
        if batch and _is_full(batch, tokens + more):
            yield batch
            batch, tokens = [], 0
        batch.append(text)
        tokens += more
    if batch:
        yield batch


def _is_full(batch: Sequence[str], tokens: int) -> bool:
    return len(batch) >= MAX_BATCH_TEXTS or tokens > MAX_BATCH_TOKENS


def _body(server: ModelServer, model: str, texts: Sequence[str]) -> dict[str, Any]:
    # Servers refuse an empty text; a blank has as little to say.
    asked: dict[str, Any] = {"model": model, "input": [text or " " for text in texts]}
    if server.is_vendor:  # a quarter of the bytes, where it is known to be understood
        asked["encoding_format"] = "base64"
    return asked


def _usage(told: Any) -> Usage:
    return Usage(counted(told.get("usage"), "prompt_tokens"), 0)


def _vectors(rows: Sequence[Any], count: int) -> list[list[float]]:
    """Return the vectors in the order of the texts; raises where they do not fit."""
    indexed = {row.get("index", at): row["embedding"] for at, row in enumerate(rows)}
    vectors = [_vector(indexed[at]) for at in range(count)]
    if len(rows) != count or len({len(vector) for vector in vectors}) != 1:
        raise ValueError
    return vectors


def _vector(told: Any) -> list[float]:
    if isinstance(told, str):
        told = array("f", base64.b64decode(told, validate=True))
    vector = [float(number) for number in told]
    if not 0 < len(vector) <= MAX_DIMENSIONS or not all(map(math.isfinite, vector)):
        raise ValueError
    return vector


def _of_many_sizes(server: ModelServer) -> str:
    return f"{server.label} answered vectors of different sizes."
