"""The floor: raw ASGI and asyncpg, with no log-in, checks or framework at all."""

import os
from typing import Any

import asyncpg
import orjson

LIST = (
    "select id, code, name_zh, name_en, category, dosage_form, created_at "
    "from products where org_id = $1 order by created_at desc, id desc limit 20"
)
ONE = (
    "select id, code, name_zh, name_en, category, created_at "
    "from products where id = $1"
)
INSERT = "insert into bench_floor (name) values ($1) returning id, name"
POOL: dict[str, asyncpg.Pool[Any]] = {}


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer `/health`, `/list`, `/one` and `POST /create`."""
    if scope["type"] == "lifespan":
        await _lifespan(receive, send)
        return
    body = orjson.dumps(await _rows(scope["path"]), default=str)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _rows(path: str) -> Any:
    pool = POOL.get("pool")
    if path == "/list" and pool:
        return [dict(row) for row in await pool.fetch(LIST, os.environ["BENCH_ORG"])]
    if path == "/one" and pool:
        return [dict(row) for row in await pool.fetch(ONE, os.environ["BENCH_ONE"])]
    if path == "/create" and pool:
        return [dict(row) for row in await pool.fetch(INSERT, "cream")]
    return {"status": "ok"}


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            POOL["pool"] = await asyncpg.create_pool(os.environ["BENCH_DSN"])
        else:
            await POOL["pool"].close()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
