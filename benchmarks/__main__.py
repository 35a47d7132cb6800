"""`python -m benchmarks [start http jobs build relay retrieval evals]`: JSON."""

import asyncio
import importlib
import json
import sys

SCRIPTS = {
    "start": "benchmarks.start",
    "http": "benchmarks.web",
    "jobs": "benchmarks.jobs",
    "build": "benchmarks.build",
    "relay": "benchmarks.relay",
    "retrieval": "benchmarks.retrieval",
    "evals": "benchmarks.evals",
}


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all."""
    results = {}
    for name in names or SCRIPTS:
        print(f"running {name} …", file=sys.stderr)
        script = importlib.import_module(SCRIPTS[name])
        results[name] = asyncio.run(script.measure())
    print(json.dumps(results, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1:])
