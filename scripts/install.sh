#!/usr/bin/env bash
# Creates the environment from the lock; needs only Python 3.11+ with pip or uv.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${PYTHON:=python3}" "${VENV:=.venv}" "${FONTS:=.fonts}"

if ! "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "Dossier needs Python 3.11 or newer; $PYTHON is $("$PYTHON" --version 2>&1)." >&2
  exit 2
fi

uv=$(command -v uv || true)
if [ -z "$uv" ]; then
  [ -x build/uv/bin/uv ] || { "$PYTHON" -m venv build/uv && build/uv/bin/pip install --quiet uv; }
  uv=build/uv/bin/uv
fi

[ -x "$VENV/bin/python" ] || "$uv" venv --quiet --python "$PYTHON" "$VENV"
VIRTUAL_ENV=$(cd "$VENV" && pwd)  # VENV may be an absolute path
export VIRTUAL_ENV
"$uv" pip sync --quiet --require-hashes --compile-bytecode requirements/dev.lock
"$uv" pip install --quiet --no-deps --editable .
"$VENV/bin/python" -m compileall -q src  # the first start need not do it

# A bare machine has no CJK font: take Noto Sans SC (OFL) out of this wheel, without
# what the wheel depends on.
if [ ! -d "$FONTS" ]; then
  "$uv" pip install --quiet --no-deps --target "$FONTS.part" zhplot==1.0.0
  mv "$FONTS.part" "$FONTS"
fi
