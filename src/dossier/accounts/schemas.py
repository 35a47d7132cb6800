"""Accounts as clients see them; no response holds a password or a hash."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, EmailStr, Field, SecretStr, WithJsonSchema
from pydantic.config import JsonDict
from pydantic_core import PydanticKnownError

from dossier.accounts import rules
from dossier.accounts.constants import Role, Scope
from dossier.core.schemas import (
    Instant,
    LineText,
    PartialModel,
    RequestModel,
    ResponseModel,
)

MIN_PASSWORD_LENGTH = 12
MAX_PASSWORD_LENGTH = 256
MAX_NAME_LENGTH = 200

_NAME = Field(min_length=1, max_length=MAX_NAME_LENGTH, examples=["Mei Lin"])
# RFC 5321 §4.5.3.1.3: 256 octets, two of them the brackets around the address.
_EMAIL = Field(max_length=254, examples=["mei@example.com"])


def _sized(secret: SecretStr) -> SecretStr:
    """Check the length; pydantic's own check of a `SecretStr` speaks of "items"."""
    if len(secret) > MAX_PASSWORD_LENGTH:
        kind: Literal["string_too_long"] = "string_too_long"
        raise PydanticKnownError(kind, {"max_length": MAX_PASSWORD_LENGTH})
    return secret


def _strong(secret: SecretStr) -> SecretStr:
    if len(secret) < MIN_PASSWORD_LENGTH:
        kind: Literal["string_too_short"] = "string_too_short"
        raise PydanticKnownError(kind, {"min_length": MIN_PASSWORD_LENGTH})
    return _sized(secret)


_SECRET: JsonDict = {
    "type": "string",
    "format": "password",
    "writeOnly": True,
    "maxLength": MAX_PASSWORD_LENGTH,
}

GivenPassword = Annotated[SecretStr, AfterValidator(_sized), WithJsonSchema(_SECRET)]
"""A password that is compared with the stored one."""

NewPassword = Annotated[
    SecretStr,
    AfterValidator(_strong),
    WithJsonSchema(_SECRET | {"minLength": MIN_PASSWORD_LENGTH}),
]
"""A password that is stored."""


EmailAddress = Annotated[EmailStr, AfterValidator(rules.check_scripts)]
"""An address that is stored: it cannot be taken for another one."""


class LoginRequest(RequestModel):
    """Ask for an access token."""

    email: str = Field(max_length=320, examples=["mei@example.com"])
    password: GivenPassword = Field(examples=["a long pass phrase"])
    organisation_id: UUID | None = None


class TokenResponse(ResponseModel):
    """An access token; send it as `Authorization: Bearer …`."""

    access_token: str
    token_type: Literal["bearer"]
    expires_in: int


class UserInvite(RequestModel):
    """Who is invited to the organisation, and as what."""

    email: EmailAddress = _EMAIL
    name: LineText = _NAME
    role: Role


class UserCreate(UserInvite):
    """A new member whose password an operator sets."""

    password: NewPassword


class InvitationAccept(RequestModel):
    """What an invited person chooses."""

    password: NewPassword = Field(examples=["a long pass phrase"])
    name: LineText | None = Field(
        None, min_length=1, max_length=MAX_NAME_LENGTH, examples=["Mei Lin"]
    )


class UserUpdate(PartialModel):
    """What an owner may change of a member; fields that are absent stay."""

    name: LineText = Field("", min_length=1, max_length=MAX_NAME_LENGTH)
    role: Role = Role.VIEWER
    is_active: bool = True


class SelfUpdate(PartialModel):
    """What a person may change alone; password and e-mail need the current one."""

    name: LineText = Field("", min_length=1, max_length=MAX_NAME_LENGTH)
    email: EmailAddress = Field("", max_length=254)
    password: NewPassword = SecretStr("")
    current_password: GivenPassword | None = None


class UserResponse(ResponseModel):
    """A member of the organisation."""

    id: UUID = Field(validation_alias="user_id")
    organisation_id: UUID = Field(validation_alias="org_id")
    email: str
    name: str
    role: Role
    is_active: bool
    created_at: datetime


class InvitationResponse(ResponseModel):
    """An invitation that is not accepted yet."""

    id: UUID
    email: str
    name: str
    role: Role
    invited_by: UUID
    created_at: datetime
    expires_at: datetime


class InvitationMade(InvitationResponse):
    """An invitation with its link, which is shown this once."""

    url: str

    @classmethod
    def of(cls, invitation: object, url: str) -> Self:
        """Return an invitation that was just made."""
        shown = InvitationResponse.model_validate(invitation).model_dump()
        return cls.model_validate(shown | {"url": url})


class InvitationShown(ResponseModel):
    """An invitation as who holds its link sees it."""

    organisation: str
    email: str
    name: str
    role: Role
    expires_at: datetime


class ApiKeyCreate(RequestModel):
    """A key that acts in the name of the member who makes it."""

    name: LineText = Field(
        min_length=1, max_length=MAX_NAME_LENGTH, examples=["Nightly import"]
    )
    scopes: set[Scope] = Field(
        min_length=1,
        examples=[["read", "write"]],
        description="What it may do, as far as its maker may.",
    )
    expires_at: Instant | None = None


class ApiKeyResponse(ResponseModel):
    """A key, without its secret; `prefix` is how its token begins."""

    id: UUID
    user_id: UUID
    name: str
    prefix: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class ApiKeySecretResponse(ApiKeyResponse):
    """A key with its token, which is shown this once."""

    token: str

    @classmethod
    def of(cls, api_key: object, token: str) -> Self:
        """Return a key that was just made, or given another secret."""
        shown = ApiKeyResponse.model_validate(api_key).model_dump()
        return cls.model_validate(shown | {"token": token})
