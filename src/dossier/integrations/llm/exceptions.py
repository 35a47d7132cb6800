"""What can go wrong with model servers; no detail holds a key or a prompt."""

from typing import ClassVar

from dossier.core.errors import (
    InvalidError,
    RateLimitedError,
    UnavailableError,
    UpstreamError,
)


class ModelRateLimitedError(RateLimitedError):
    """The model server lets no more calls through for now."""

    title = "Model server is at its limit"


class ModelUnavailableError(UnavailableError):
    """The model server cannot be reached, refuses us, or failed too often in a row."""

    title = "Model server unavailable"


class ModelTimeoutError(UpstreamError):
    """The model server stayed silent for too long."""

    status: ClassVar[int] = 504
    title = "Model server timed out"


class ModelResponseMalformedError(UpstreamError):
    """The model server answered what its protocol does not know."""

    title = "Model server's answer cannot be read"


class ModelStreamCutError(UpstreamError):
    """The model server broke off in the middle of an answer."""

    title = "Model's answer was cut off"


class ModelRefusedError(InvalidError):
    """The model, or its server's filter, declined to answer."""

    title = "Model declined to answer"


class ModelContextTooLongError(InvalidError):
    """What was asked is longer than the model's context window."""

    title = "Too long for the model"


class ModelExtraMissingError(UnavailableError):
    """An optional part of the installation is needed; the detail names it."""

    title = "Optional part not installed"
