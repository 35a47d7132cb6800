"""The floor: an ASGI callable, a pool of asyncpg, one encoder. No log-in, no rules.

Serves the same members of the same rows from the same table as the product does, in as
few steps as one would write by hand: a pool that resets nothing, JSON columns passed on
as text.
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from uuid import UUID

import asyncpg
import orjson

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_COLUMNS = """id::text, code, name_zh, name_en, category, dosage_form, use, body_site,
  population, intended_use, usage::text, sites::text, holder::text, markets::text,
  created_at, updated_at"""
_JSON = ("usage", "sites", "holder", "markets")
_LIST = f"""
select {_COLUMNS} from products where org_id = $1
order by created_at desc, products.id desc limit 20
"""  # noqa: S608 - constants
_GET = f"select {_COLUMNS} from products where org_id = $1 and products.id = $2"  # noqa: S608 - constants
_STATE: dict[str, Any] = {}


async def app(scope: Message, receive: Receive, send: Send) -> None:
    """Answer a list of 20 or one product."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    await _answer(send, await _body(scope["path"]))


async def _lifespan(receive: Receive, send: Send) -> None:
    await receive()
    _STATE["pool"] = await asyncpg.create_pool(
        os.environ["BENCH_DATABASE_URL"], min_size=10, max_size=10, reset=_leave_as_is
    )
    _STATE["org"] = UUID(os.environ["BENCH_ORG_ID"])
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await _STATE["pool"].close()
    await send({"type": "lifespan.shutdown.complete"})


async def _leave_as_is(_connection: asyncpg.Connection) -> None:
    """Nothing was changed that a round trip would have to change back."""


async def _body(path: str) -> bytes:
    if path == "/health":
        return b'{"status":"ok"}'
    if path == "/products":
        rows = await _STATE["pool"].fetch(_LIST, _STATE["org"])
        return _encoded({"items": [_members(row) for row in rows], "limit": 20})
    product_id = UUID(path.rpartition("/")[2])
    row = await _STATE["pool"].fetchrow(_GET, _STATE["org"], product_id)
    return _encoded(_members(row))


def _members(row: asyncpg.Record) -> dict[str, Any]:
    members = dict(row.items())
    for name in _JSON:
        members[name] = orjson.Fragment(members[name])
    return members


def _encoded(content: object) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_UTC_Z)


async def _answer(send: Send, body: bytes) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})
