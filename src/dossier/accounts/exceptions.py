"""What can go wrong with accounts."""

from dossier.core.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    RateLimitedError,
    UnauthenticatedError,
)


class UserNotFoundError(NotFoundError):
    """No such user in this organisation."""

    title = "User not found"


class OrganisationNotFoundError(NotFoundError):
    """No such organisation."""

    title = "Organisation not found"


class EmailTakenError(ConflictError):
    """A user with this e-mail address exists already."""

    title = "E-mail address taken"

    def __init__(self, address: str) -> None:
        super().__init__(f"Another user logs in with {address}.")


class LastOwnerError(ConflictError):
    """The last active owner cannot be demoted or deactivated."""

    title = "Last owner"


class InvalidCredentialsError(UnauthenticatedError):
    """E-mail address and password do not belong together, or not any more."""

    title = "Log-in refused"

    def __init__(self) -> None:
        super().__init__(
            "The e-mail address, the password or the organisation is wrong. Where "
            "there are several organisations, who was invited, or changed the address, "
            "names `organisation_id` too."
        )


class CurrentPasswordRequiredError(UnauthenticatedError):
    """Changing the password or e-mail address needs the current password."""

    title = "Current password needed"


class LoginThrottledError(RateLimitedError):
    """Too many wrong passwords for this account, or from this address, of late."""

    title = "Too many wrong passwords"


class InvitationNotFoundError(NotFoundError):
    """No invitation in force: it was used, revoked or replaced, or its time is over."""

    title = "Invitation not found"


class ApiKeyLimitError(ConflictError):
    """A member has as many keys in force as one may have."""

    title = "Too many API keys"


class ApiKeyNotFoundError(NotFoundError):
    """No such API key in this organisation, or none that the member may see."""

    title = "API key not found"


class InvalidApiKeyError(UnauthenticatedError):
    """The API key is not one of ours, was revoked or has expired, or its maker left."""

    title = "API key not valid"


class ApiKeyRevokedError(ConflictError):
    """A key that was revoked gets no new secret."""

    title = "API key revoked"


class ApiKeyExpiredError(ConflictError):
    """A key whose time is over gets no new secret."""

    title = "API key expired"


class ApiKeyExpiryError(InvalidError):
    """A key cannot expire before it is made."""

    title = "Expiry in the past"


class ScopeRequiredError(ForbiddenError):
    """The API key lacks the scope that the method needs."""

    title = "Scope required"
