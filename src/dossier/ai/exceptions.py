"""What can go wrong with calls of models."""

from typing import ClassVar

from dossier.core.errors import (
    ConflictError,
    InternalServerError,
    InvalidError,
    NotFoundError,
    PaymentRequiredError,
    RateLimitedError,
)


class ModelNotConfiguredError(ConflictError):
    """A model was asked for, and no setting names one."""

    title: ClassVar[str] = "No model is configured"


class ModelPriceUnknownError(ConflictError):
    """A budget counts money, and the price of the model is unknown."""

    title: ClassVar[str] = "Price of the model unknown"


class BudgetNotFoundError(NotFoundError):
    """No such budget in this organisation."""

    title: ClassVar[str] = "Budget not found"


class BudgetCapMissingError(InvalidError):
    """A budget caps nothing, or does not name whose calls it counts."""

    title: ClassVar[str] = "A budget needs a cap and a subject"


class BudgetExhaustedError(PaymentRequiredError):
    """What has been spent leaves no room for the call; `limit` says which budget."""

    title: ClassVar[str] = "Budget exhausted"


class BudgetBusyError(RateLimitedError):
    """The call fits once running calls have settled; `limit` says which budget."""

    title: ClassVar[str] = "Budget held by running calls"


class PromptMissingError(InternalServerError):
    """A prompt that the code asks for is not among the files."""

    title: ClassVar[str] = "Prompt missing"
