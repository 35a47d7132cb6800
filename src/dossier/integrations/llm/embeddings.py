"""Vectors from a server of OpenAI's protocol."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from dossier.integrations.llm.exceptions import ModelResponseMalformedError
from dossier.integrations.llm.plan import ModelPlan, ModelServer
from dossier.integrations.llm.types import CallTag, Purpose, Recorder
from dossier.integrations.llm.usage import estimate_tokens

if TYPE_CHECKING:
    from pydantic_ai import Embedder

    from dossier.integrations.llm.server import ServerClient

MAX_BATCH_TEXTS = 64
MAX_BATCH_TOKENS = 16_000


class EmbeddingClient:
    """Embeds texts in batches; one object serves a whole process.

    pydantic-ai is imported at the first text: a web process knows the model's name
    without it.
    """

    def __init__(
        self, plan: ModelPlan, server: ModelServer, recorder: Recorder
    ) -> None:
        self._limits = plan.limits
        self._server = server
        self._recorder = recorder
        self._opening: asyncio.Task[tuple[ServerClient, Embedder]] | None = None

    @property
    def name(self) -> str:
        """Return the model's name; vectors of two names are never compared."""
        return self._server.models[Purpose.EMBEDDING]

    async def close(self) -> None:
        """Close the connections."""
        if self._opening is not None:
            with suppress(ImportError):
                client, _embedder = await self._opening
                await client.close()

    async def embed(self, texts: Sequence[str], tag: CallTag) -> list[list[float]]:
        """Return one vector for each text, all of one length."""
        if self._opening is None:
            # The imports take a second, in which a web process answers others; a
            # search that is cancelled meanwhile does not stop them for the next one.
            self._opening = asyncio.create_task(asyncio.to_thread(self._open))
        _client, embedder = await asyncio.shield(self._opening)
        vectors: list[list[float]] = []
        from dossier.integrations.llm.budgeted import paid_by  # noqa: PLC0415 - as below
        from dossier.integrations.llm.failures import CallFailedError  # noqa: PLC0415

        payer = replace(tag, operation="embeddings")
        for batch in batches(texts):
            try:
                with paid_by(payer):
                    # Servers refuse an empty text; a blank has as little to say.
                    found = await embedder.embed_documents([t or " " for t in batch])
            except CallFailedError as failed:
                raise failed.error from failed
            vectors += [list(map(float, vector)) for vector in found.embeddings]
        if any(len(one) != len(other) for one, other in pairwise(vectors)):
            detail = "The model server answered vectors of different sizes."
            raise ModelResponseMalformedError(detail)
        return vectors

    def _open(self) -> "tuple[ServerClient, Embedder]":
        from pydantic_ai import Embedder  # noqa: PLC0415 - 60 MiB

        from dossier.integrations.llm.budgeted import (  # noqa: PLC0415
            BudgetedEmbeddingModel,
        )
        from dossier.integrations.llm.server import ServerClient  # noqa: PLC0415

        client = ServerClient(self._server, self._limits)
        return client, Embedder(BudgetedEmbeddingModel(client, self._recorder))


def open_embedder(plan: ModelPlan, recorder: Recorder) -> EmbeddingClient | None:
    """Return the client of a process; `None` where no setting names a model."""
    if plan.embedder is None:
        return None
    return EmbeddingClient(plan, plan.embedder, recorder)


def batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """Cut texts into batches that a server takes at once; one text is never cut."""
    batch: list[str] = []
    tokens = 0
    for text in texts:
        more = estimate_tokens(text)
        if batch and (
            len(batch) >= MAX_BATCH_TEXTS or tokens + more > MAX_BATCH_TOKENS
        ):
            yield batch
            batch, tokens = [], 0
        batch.append(text)
        tokens += more
    if batch:
        yield batch
