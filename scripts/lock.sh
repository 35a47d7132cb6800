#!/usr/bin/env bash
# Pins every dependency with its hashes and without the name of any index host.
set -euo pipefail
cd "$(dirname "$0")/.."
common=(--quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade)
extras=(--extra traces)
uv pip compile "${common[@]}" "${extras[@]}" pyproject.toml -o requirements/app.lock
uv pip compile "${common[@]}" "${extras[@]}" --group dev --group bench pyproject.toml -o requirements/dev.lock
