"""Turns a template and data into a PDF file, in a process that can be killed."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dossier.integrations.pdf.exceptions import (
    TypesettingError,
    TypesettingTimeoutError,
)
from dossier.integrations.pdf.finish import Stamp
from dossier.integrations.pdf.fonts import FontChoice

# Isolated, so that no variable and no folder of the caller changes the outcome.
_COMMAND = ("-I", "-X", "utf8", "-m", "dossier.integrations.pdf.child")
_KEPT_OF_STDERR = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """All that decides the bytes of a PDF.

    `inputs` reach the template as `sys.inputs`: texts as they are, all else as JSON
    that the font can show; never as source text.
    """

    root: Path
    template: str
    inputs: dict[str, Any]
    font: FontChoice
    timestamp: datetime
    stamp: Stamp


async def typeset(order: Order, target: Path, *, timeout_s: float = 120) -> int:
    """Write the PDF to the target and return its number of pages.

    Raises:
        TypesettingError: The document was refused; the detail says where.
        TypesettingTimeoutError: It took longer than `timeout_s` and was killed.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, *_COMMAND, stdin=PIPE, stdout=PIPE, stderr=PIPE, env={}
    )
    try:
        async with asyncio.timeout(timeout_s):
            output, complaint = await process.communicate(_encode(order, target))
    except TimeoutError as error:
        reason = f"Ended after {timeout_s:g} s."
        raise TypesettingTimeoutError(reason) from error
    finally:
        await _end(process)
    if process.returncode:
        raise TypesettingError(complaint.decode("utf-8", "replace")[:_KEPT_OF_STDERR])
    pages: int = json.loads(output)["pages"]
    return pages


def _encode(order: Order, target: Path) -> bytes:
    members = {
        "root": str(order.root),
        "template": order.template,
        "inputs": order.inputs,
        "font": {
            "file": str(order.font.file),
            "index": order.font.index,
            "family": order.font.family,
        },
        "timestamp_s": int(order.timestamp.timestamp()),
        "stamp": asdict(order.stamp),
        "target": str(target),
    }
    return json.dumps(members, ensure_ascii=False).encode()


async def _end(process: Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.wait()
