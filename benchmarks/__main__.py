"""`python -m benchmarks [names]` measures all, or what is named; prints JSON."""

import asyncio
import importlib
import json
import sys
from collections.abc import Coroutine
from typing import Any

SCRIPTS = {
    "start": "benchmarks.start",
    "http": "benchmarks.web",
    "jobs": "benchmarks.jobs",
    "responsiveness": "benchmarks.responsiveness",
    "build": "benchmarks.build",
    "relay": "benchmarks.relay",
    "retrieval": "benchmarks.retrieval",
    "evals": "benchmarks.evals",
    "walks": "benchmarks.walks",
    "document_facts": "benchmarks.document_facts",
    "item_states": "benchmarks.item_states",
}


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all."""
    results = {}
    for name in names or SCRIPTS:
        print(f"running {name} …", file=sys.stderr)
        script = importlib.import_module(SCRIPTS[name])
        results[name] = _run(script.measure())
    print(json.dumps(results, indent=2, ensure_ascii=False))


def _run(measuring: Coroutine[Any, Any, Any]) -> Any:
    """Run on the faster loop where it is installed: whoever listens costs, too."""
    try:
        import uvloop  # noqa: PLC0415 - no wheel of it for Windows
    except ImportError:
        return asyncio.run(measuring)
    return uvloop.run(measuring)


if __name__ == "__main__":
    main(sys.argv[1:])
