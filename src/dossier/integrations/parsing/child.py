"""The process in which one parser reads one file; started by `sandbox`, never by hand.

Standard input holds one JSON order. The answer goes, framed as one JSON document, to
the file descriptor that was standard output; whatever libraries print goes to standard
error. Only the standard library and `orjson` are imported before the parser itself.
"""

import json
import os
import sys
from collections.abc import Callable
from decimal import Decimal
from importlib import import_module
from pathlib import PurePath
from typing import Any

import orjson

from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)
from dossier.integrations.parsing.isolation import confine


def main() -> None:
    """Read the order, confine the process, answer."""
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)
        order = json.load(sys.stdin)
        confine(order["memory_bytes"], order["cpu_s"])
        parser = _resolve(order["function"])
        out.write(answer_of(parser, order["path"], order["options"]))


def answer_of(
    parser: Callable[..., object], path: str, options: dict[str, Any]
) -> bytes:
    """Run a parser and encode its result, or the reason why there is none."""
    try:
        return encoded({"result": parser(path, **options)})
    except UnreadableFileError as error:
        return _refusal(error.reason, error.detail)
    except ImportError:
        raise  # a fault of the installation, not of the file
    except (MemoryError, RecursionError) as error:
        return _refusal(UnreadableReason.MEMORY, _named(error))
    except Exception as error:  # noqa: BLE001 - libraries fail on hostile bytes in any way
        return _refusal(UnreadableReason.CORRUPT, _named(error))


def encoded(value: object) -> bytes:
    """Encode dataclasses, dates, UUIDs and enums natively, decimals as text."""
    return orjson.dumps(value, default=_as_text, option=orjson.OPT_NON_STR_KEYS)


def _as_text(value: object) -> str:
    if isinstance(value, Decimal | PurePath):
        return str(value)
    raise TypeError(type(value).__name__)


def _resolve(function: str) -> Callable[..., object]:
    module, _, name = function.partition(":")
    resolved: Callable[..., object] = getattr(import_module(module), name)
    return resolved


def _named(error: BaseException) -> str:
    return f"{type(error).__name__} while reading"


def _refusal(reason: UnreadableReason, detail: str) -> bytes:
    return encoded({"unreadable": {"reason": reason.value, "detail": detail}})


if __name__ == "__main__":
    main()
