"""The guard of *open* mode: without log-in, only this machine's own pages may call.

Checking `Host` defeats DNS rebinding, checking `Origin` foreign pages in the user's
browser, checking the peer a server that was bound too wide.
"""

from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.types import Scope

from dossier.core.errors import ForbiddenError

_OF_PROXIES = frozenset({b"forwarded", b"via", b"x-real-ip"})
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class HostNotAllowedError(ForbiddenError):
    """Without log-in only this machine's own names are answered."""

    title = "Host not allowed"

    def __init__(self, asked: list[str]) -> None:
        super().__init__(
            f"{_quoted(asked)} is not this machine. Without log-in only localhost, "
            "127.0.0.1 and ::1 are answered; others need DOSSIER_AUTH__MODE=password."
        )


class ProxyInOpenModeError(ForbiddenError):
    """Without log-in no proxy may stand between: it would let strangers in."""

    title = "No proxy without log-in"


class OriginNotAllowedError(ForbiddenError):
    """Without log-in only pages of this server, or listed ones, may call."""

    title = "Origin not allowed"

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"Pages of {_quoted([origin])} may not call; if they should, list it by "
            "its name in DOSSIER_WEB__CORS_ORIGINS."
        )


class LoopbackGuard:
    """Refuses every request that does not come from this machine's own pages."""

    def __init__(self, listed_origins: tuple[str, ...]) -> None:
        self._listed = frozenset(listed_origins) - {"*"}

    def check(self, scope: Scope) -> None:
        """Raise unless peer, `Host` and `Origin` are all local or listed.

        A proxy on this machine makes every stranger look local, so that what only
        proxies send is refused.
        """
        for name, _ in scope["headers"]:
            if name in _OF_PROXIES or name.startswith(b"x-forwarded-"):
                field = name.decode("latin-1").title()
                detail = (
                    f"The request came through a proxy (`{field}`). For that, set "
                    "DOSSIER_AUTH__MODE=password, make an owner (`dossier create-org`, "
                    "`create-user`) and list it in DOSSIER_WEB__TRUSTED_PROXIES."
                )
                raise ProxyInOpenModeError(detail)
        hosts = list(_fields(scope, b"host"))
        client = scope.get("client")  # `None` for a Unix socket
        if client is not None and not is_loopback(client[0]):
            raise HostNotAllowedError([client[0]])
        if len(hosts) != 1 or not _is_local(hosts[0]):
            raise HostNotAllowedError(hosts)
        own = f"{scope['scheme']}://{hosts[0].lower()}"
        for origin in _fields(scope, b"origin"):
            if origin != own and origin not in self._listed:
                raise OriginNotAllowedError(origin)


def is_loopback(host: str) -> bool:
    """Return whether a name or address to listen on is this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_local(host: str) -> bool:
    if "@" in host or "/" in host:
        return False
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # raises for what is not a number
    except ValueError:
        return False
    return parts.hostname in LOCAL_NAMES


def _quoted(values: list[str]) -> str:
    return ", ".join(repr(value[:200]) for value in values) or "(none)"


def _fields(scope: Scope, name: bytes) -> Iterator[str]:
    return (v.decode("latin-1") for k, v in scope["headers"] if k == name)
