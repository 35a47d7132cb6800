"""Vectors made in this process by sentence-transformers (extra `local-embed`)."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dossier.integrations.llm.exceptions import (
    ModelExtraMissingError,
    ModelUnavailableError,
)
from dossier.integrations.llm.types import CallTag

_BATCH = 32
_MISSING = "Local embeddings need the extra: pip install 'dossier[local-embed]'."


class LocalEmbedder:
    """Embeds on this machine, in one thread; loads its model at the first text."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="embed")
        self._loaded: Any = None

    @property
    def name(self) -> str:
        """Return the model's name; vectors of two names are never compared."""
        return local_name(self._model)

    async def close(self) -> None:
        """End the thread."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def embed(self, texts: Sequence[str], tag: CallTag) -> list[list[float]]:
        """Return one vector for each text, all of one length; costs nothing."""
        del tag  # no server is asked: nothing is charged
        if not texts:
            return []
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._encode, list(texts))

    def _encode(self, texts: list[str]) -> list[list[float]]:
        if self._loaded is None:
            try:
                from sentence_transformers import (  # noqa: PLC0415 - heavy
                    SentenceTransformer,
                )
            except ImportError as error:
                raise ModelExtraMissingError(_MISSING) from error
            try:
                self._loaded = SentenceTransformer(self._model)
            except (OSError, ValueError) as error:
                why = f"The embedding model {self._model!r} cannot be loaded."
                raise ModelUnavailableError(why) from error
        vectors = self._loaded.encode(
            texts,
            batch_size=_BATCH,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return [[float(number) for number in vector] for vector in vectors]


def local_name(model: str) -> str:
    """Return what vectors of a model of this machine are kept under."""
    return f"local:{model}"


def open_local_embedder(model: str) -> LocalEmbedder:
    """Return an embedder of this machine; its library is looked for at first use."""
    return LocalEmbedder(model)
