"""A bounded load over keep-alive connections; prints one JSON line.

`python -m benchmarks.loadgen --port 8000 --path /health --requests 5000`
"""

import argparse
import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Load:
    """What to send, and how often."""

    port: int
    request: bytes
    connections: int
    requests: int
    latencies_ms: list[float] = field(default_factory=list)
    failures: int = 0

    async def run(self) -> dict[str, Any]:
        """Send everything and return the figures."""
        budget = iter(range(self.requests))
        started = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for _ in range(self.connections):
                group.create_task(self._connection(budget))
        elapsed_s = time.perf_counter() - started
        return self._figures(elapsed_s)

    async def _connection(self, budget: Any) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        for _ in budget:
            started = time.perf_counter()
            writer.write(self.request)
            status = await self._response(reader)
            self.latencies_ms.append((time.perf_counter() - started) * 1000)
            self.failures += status not in {b"200", b"201"}
        writer.close()

    async def _response(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n"):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        await reader.readexactly(length)
        return head[9:12]

    def _figures(self, elapsed_s: float) -> dict[str, Any]:
        ordered = sorted(self.latencies_ms)
        return {
            "requests": len(ordered),
            "failures": self.failures,
            "requests_per_s": round(len(ordered) / elapsed_s, 1),
            "p50_ms": round(ordered[len(ordered) // 2], 2),
            "p99_ms": round(ordered[int(len(ordered) * 0.99)], 2),
        }


def request_bytes(
    method: str, path: str, headers: dict[str, str], body: bytes
) -> bytes:
    """Return one HTTP/1.1 request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body:
        lines += ["Content-Type: application/json"]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def main() -> None:
    """Read the load from the command line and send it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--path", required=True)
    parser.add_argument("--method", default="GET")
    parser.add_argument("--token", default="")
    parser.add_argument("--body", default="")
    parser.add_argument("--connections", type=int, default=10)
    parser.add_argument("--requests", type=int, default=2000)
    options = parser.parse_args()
    headers = {"Authorization": f"Bearer {options.token}"} if options.token else {}
    request = request_bytes(
        options.method, options.path, headers, options.body.encode()
    )
    load = Load(options.port, request, options.connections, options.requests)
    print(json.dumps(asyncio.run(load.run())))


if __name__ == "__main__":
    main()
