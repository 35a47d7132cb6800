import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import orjson
import pytest
from starlette.requests import ClientDisconnect
from tests.core.edge import ORIGIN, Clock, Rig, edge, rig

from dossier.core.logging import ACCESS_LOGGER
from dossier.core.loopback import LoopbackGuard
from dossier.core.rate_limit import Proxies, RateLimiter

PREFLIGHT = {
    "origin": ORIGIN,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization, content-type",
}


@pytest.fixture(autouse=True)
def access_log() -> Iterator[None]:
    logger = logging.getLogger(ACCESS_LOGGER)
    logger.setLevel(logging.INFO)
    yield
    logger.setLevel(logging.NOTSET)


@pytest.fixture
async def small() -> AsyncIterator[Rig]:
    async with rig() as small:
        yield small


@pytest.fixture
async def scarce() -> AsyncIterator[Rig]:
    """Two requests a minute, and one log-in."""
    limiter = RateLimiter(2, Clock())
    async with rig(limiter=limiter) as small:
        yield small


async def test_request_id_is_taken_up_and_given_back(small: Rig) -> None:
    answer = await small.client.get("/health", headers={"x-request-id": "abc-123"})

    assert answer.headers["x-request-id"] == "abc-123"
    assert small.access_lines()[0]["request_id"] == "abc-123"


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, 'quo"te'])
async def test_request_id_that_could_harm_a_log_is_replaced(
    small: Rig, given: str
) -> None:
    answer = await small.client.get("/health", headers={"x-request-id": given})

    assert answer.headers["x-request-id"] != given
    assert len(answer.headers["x-request-id"]) == 36


async def test_access_line_names_the_route_not_the_values(small: Rig) -> None:
    await small.client.get("/things/5?limit=7")

    [line] = small.access_lines()
    assert line.pop("ms") > 0
    assert {"time", "request_id"} <= line.keys()
    del line["time"], line["request_id"]
    assert line == {
        "level": "info",
        "logger": "dossier.access",
        "event": "http.request.finished",
        "method": "GET",
        "route": "/things/{thing_id}",
        "status": 200,
        "bytes": len(b'{"id":5,"limit":7}'),
        "address": "203.0.113.9",
        "org_id": None,
        "user_id": None,
        "api_key_id": None,
    }


async def test_refusals_of_every_step_are_logged(scarce: Rig) -> None:
    for _ in range(3):
        await scarce.client.get("/health/..%2fnowhere")
    await scarce.client.options("/orders", headers=PREFLIGHT)

    statuses = [line["status"] for line in scarce.access_lines()]
    assert statuses == [404, 404, 429, 200]


async def test_answers_carry_the_headers_that_browsers_obey(small: Rig) -> None:
    answer = await small.client.get("/nowhere")

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "strict-transport-security" not in answer.headers


async def test_https_is_asked_for_only_over_https() -> None:
    async with rig(base_url="https://localhost") as small:
        answer = await small.client.get("/health")

    assert "max-age" in answer.headers["strict-transport-security"]


async def test_limit_is_in_old_and_new_header_fields(scarce: Rig) -> None:
    answer = await scarce.client.get("/things/1")

    assert answer.headers["ratelimit-policy"] == '"default";q=2;w=60'
    assert answer.headers["ratelimit"] == '"default";r=1;t=60'
    assert answer.headers["x-ratelimit-limit"] == "2"
    assert answer.headers["x-ratelimit-remaining"] == "1"
    assert answer.headers["x-ratelimit-reset"] == "1000060"


async def test_request_above_the_limit_gets_retry_after(scarce: Rig) -> None:
    answers = [await scarce.client.get("/things/1") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["retry-after"] == "60"
    assert answers[2].json()["code"] == "rate_limited"
    assert answers[2].json()["retry_after"] == 60


async def test_refusal_by_the_rate_limit_can_be_read_by_a_browser(scarce: Rig) -> None:
    for _ in range(2):
        await scarce.client.get("/things/1")
    answer = await scarce.client.get("/things/1", headers={"origin": ORIGIN})

    assert answer.status_code == 429
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "Retry-After" in answer.headers["access-control-expose-headers"]


async def test_preflights_and_probes_are_free(scarce: Rig) -> None:
    for _ in range(5):
        assert (await scarce.client.options("/orders", headers=PREFLIGHT)).is_success
        assert (await scarce.client.get("/health")).is_success

    assert (await scarce.client.get("/things/1")).is_success


async def test_verified_tokens_are_counted_apart_and_invented_ones_together() -> None:
    limiter = RateLimiter(1, Clock())
    known = {b"Bearer mei": "mei", b"Bearer lin": "lin"}
    async with rig(limiter=limiter, caller_of=known.get) as small:
        statuses = [
            (
                await small.client.get(
                    "/things/1", headers={"authorization": f"Bearer {token}"}
                )
            ).status_code
            for token in ("mei", "lin", "mei", "invented", "another")
        ]

    assert statuses == [200, 200, 429, 200, 429]


async def test_one_key_has_one_count_however_it_is_sent() -> None:
    limiter = RateLimiter(2, Clock())
    known = {b"Bearer dossier_a": "a", b"Bearer dossier_b": "b"}
    sent = [
        {"authorization": "Bearer dossier_a"},
        {"x-api-key": "dossier_a"},
        {"x-api-key": "dossier_a"},
        {"x-api-key": "dossier_b"},
        {"authorization": "Bearer dossier_b", "x-api-key": "dossier_a"},
    ]
    async with rig(limiter=limiter, caller_of=known.get) as small:
        statuses = [
            (await small.client.get("/things/1", headers=headers)).status_code
            for headers in sent
        ]

    assert statuses == [200, 200, 429, 200, 200]


async def test_listed_origin_may_call(small: Rig) -> None:
    preflight = await small.client.options("/orders", headers=PREFLIGHT)
    answer = await small.client.get("/things/1", headers={"origin": ORIGIN})

    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    assert answer.headers["access-control-allow-origin"] == ORIGIN


async def test_other_origin_is_refused_with_a_problem(small: Rig) -> None:
    foreign = {"origin": "https://evil.example"}
    preflight = await small.client.options("/orders", headers=PREFLIGHT | foreign)
    answer = await small.client.get("/things/1", headers=foreign)

    assert preflight.status_code == 400
    assert preflight.json()["code"] == "preflight_refused"
    assert "https://evil.example" in preflight.json()["detail"]
    assert "DOSSIER_WEB__CORS_ORIGINS" in preflight.json()["detail"]
    assert "access-control-allow-origin" not in preflight.headers
    assert "access-control-allow-origin" not in answer.headers


async def test_any_origin_may_call_where_all_are_listed() -> None:
    async with rig(cors_origins=("*",)) as small:
        answer = await small.client.get(
            "/nowhere", headers={"origin": "https://any.example"}
        )

    assert answer.headers["access-control-allow-origin"] == "*"


async def test_bug_can_still_be_read_by_a_browser(small: Rig) -> None:
    answer = await small.client.get("/fails/bug", headers={"origin": ORIGIN})

    assert answer.status_code == 500
    assert answer.headers["access-control-allow-origin"] == ORIGIN


async def pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b" " * 300


@pytest.mark.parametrize("body", [b" " * 1001, 4])
async def test_body_above_the_limit_is_refused_however_it_is_sent(
    small: Rig, body: bytes | int
) -> None:
    content = pieces(body) if isinstance(body, int) else body
    answer = await small.client.post(
        "/orders", content=content, headers={"content-type": "application/json"}
    )

    assert answer.status_code == 413
    assert answer.json()["code"] == "body_too_large"


async def test_upload_counts_by_itself(small: Rig) -> None:
    answers = [
        await small.client.post("/uploads", content=b" " * 2000),
        await small.client.post("/uploads", content=pieces(10)),
    ]

    assert [answer.json()["bytes"] for answer in answers] == [2000, 3000]


async def test_length_that_is_not_a_number_is_refused(small: Rig) -> None:
    answer = await small.client.post(
        "/orders", content=b"{}", headers={"content-length": "two"}
    )

    assert answer.json()["code"] == "bad_request"


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        ((), "198.51.100.1", "203.0.113.9"),
        (("203.0.113.9",), "198.51.100.1", "198.51.100.1"),
        (("203.0.113.0/24",), "198.51.100.1, 203.0.113.7", "198.51.100.1"),
        (("203.0.113.9",), "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        (("203.0.113.9",), "", "203.0.113.9"),
        (("10.0.0.0/8",), "198.51.100.1", "203.0.113.9"),
    ],
)
async def test_forwarded_for_counts_from_listed_proxies_only(
    trusted: tuple[str, ...], forwarded: str, address: str
) -> None:
    async with rig(proxies=Proxies(trusted)) as small:
        answer = await small.client.get(
            "/address", headers={"x-forwarded-for": forwarded}
        )

    assert answer.json() == {"address": address}


def guarded(**options: Any) -> Any:
    listed = ("http://localhost:3000", "*")
    options = {"peer": ("127.0.0.1", 50000)} | options
    return rig(guard=LoopbackGuard(listed), cors_origins=listed, **options)


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]", "[::1]:80", "LOCALHOST"],
)
async def test_open_mode_answers_to_the_names_of_this_machine(host: str) -> None:
    async with guarded() as small:
        answer = await small.client.get("/things/1", headers={"host": host})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.nip.io:8000",
        "localhost@evil.example",
        "[::1",
        "localhost:port",
        "",
    ],
)
async def test_open_mode_refuses_names_that_were_rebound(host: str) -> None:
    async with guarded() as small:
        answer = await small.client.get("/things/1", headers={"host": host})

    assert answer.status_code == 403
    assert answer.json()["code"] == "host_not_allowed"
    assert repr(host) in answer.json()["detail"]
    assert "DOSSIER_AUTH__MODE" in answer.json()["detail"]


async def test_open_mode_refuses_other_machines() -> None:
    async with guarded(peer=("192.168.1.20", 50000)) as small:
        answer = await small.client.get("/things/1")

    assert answer.json()["code"] == "host_not_allowed"


@pytest.mark.parametrize("origin", ["http://localhost:8000", "http://localhost:3000"])
async def test_open_mode_lets_its_own_and_listed_pages_call(origin: str) -> None:
    async with guarded() as small:
        answer = await small.client.get("/things/1", headers={"origin": origin})

    assert answer.status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:9999", "*"]
)
async def test_open_mode_refuses_other_pages_even_where_all_are_listed(
    origin: str,
) -> None:
    own = {"origin": origin}
    async with guarded() as small:
        answers = [
            await small.client.post("/orders", json={}, headers=own),
            await small.client.options(
                "/orders", headers=PREFLIGHT | {"origin": origin}
            ),
        ]

    assert {answer.json()["code"] for answer in answers} == {"origin_not_allowed"}


async def test_failure_after_the_answer_began_is_not_answered_twice() -> None:
    lines: list[bytes] = []
    sent: list[str] = []

    async def torn(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError

    async def send(message: Any) -> None:
        sent.append(message["type"])

    app = edge(torn, write=lines.append)
    with pytest.raises(ZeroDivisionError):
        await app(http_scope(), receive_nothing, send)

    assert sent == ["http.response.start"]
    assert [orjson.loads(line)["status"] for line in lines] == [200]


async def test_caller_who_left_is_not_answered() -> None:
    sent: list[Any] = []

    async def reads(_scope: Any, _receive: Any, _send: Any) -> None:
        raise ClientDisconnect

    async def send(message: Any) -> None:
        sent.append(message)

    await edge(reads)(http_scope(), receive_nothing, send)

    assert sent == []


async def test_other_protocols_pass_untouched() -> None:
    seen: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["type"])

    async def send(_message: Any) -> None:
        return None

    await edge(app)({"type": "lifespan"}, receive_nothing, send)

    assert seen == ["lifespan"]


async def receive_nothing() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


def http_scope() -> dict[str, Any]:
    return {
        "type": "http",
        "method": "GET",
        "path": "/health",
        "scheme": "http",
        "headers": [],
        "client": None,
    }


async def test_requests_at_once_keep_their_own_ids(small: Rig) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(
                small.client.get("/things/1", headers={"x-request-id": f"id-{n}"})
            )
            for n in range(20)
        ]

    assert [task.result().headers["x-request-id"] for task in tasks] == [
        f"id-{n}" for n in range(20)
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-forwarded-for", "203.0.113.9"),
        ("X-Forwarded-Proto", "https"),
        ("forwarded", "for=203.0.113.9"),
        ("via", "1.1 proxy"),
        ("x-real-ip", "203.0.113.9"),
    ],
)
async def test_open_mode_refuses_requests_of_a_proxy(name: str, value: str) -> None:
    async with guarded() as small:
        answer = await small.client.get("/things/1", headers={name: value})

    assert answer.status_code == 403
    assert answer.json()["code"] == "proxy_in_open_mode"
    assert "DOSSIER_AUTH__MODE" in answer.json()["detail"]


async def test_two_authorization_headers_are_refused(small: Rig) -> None:
    answer = await small.client.get(
        "/things/1",
        headers=[("authorization", "Bearer a"), ("authorization", "Bearer b")],
    )

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


async def test_access_line_holds_the_callers_address(small: Rig) -> None:
    await small.client.get("/health")

    assert small.access_lines()[0]["address"] == "203.0.113.9"


async def test_answers_are_for_pages_of_their_own_origin(small: Rig) -> None:
    answer = await small.client.get("/health")

    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


async def test_path_of_a_problem_is_percent_encoded(small: Rig) -> None:
    answer = await small.client.get("/nowhere/%E7%8E%AB%20%22x%22?a=b")

    assert answer.json()["instance"] == "/nowhere/%E7%8E%AB%20%22x%22"


async def test_problem_lists_twenty_faults_and_counts_the_others(small: Rig) -> None:
    items = [{"name": "x"}] * 25
    answer = await small.client.post("/orders", json={"items": items})

    assert len(answer.json()["errors"]) == 20
    assert answer.json()["errors_total"] == 25
