"""`python -m benchmarks [http start jobs build]`: JSON on standard output."""

import importlib
import json
import sys

ALL = ("start", "http", "jobs", "build")


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all."""
    results = {}
    for name in names or ALL:
        print(f"running {name} …", file=sys.stderr)
        results[name] = importlib.import_module(f"benchmarks.{name}").run()
    print(json.dumps(results, indent=2, ensure_ascii=False))


main(sys.argv[1:])
