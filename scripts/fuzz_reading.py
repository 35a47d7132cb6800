"""Reads thousands of damaged documents; each must end in a named state.

Run by `make fuzz`. Seeds are small documents of every kind; mutations flip, cut, repeat
and exchange bytes, inside the parts of zip packages too. A reader that is killed by its
limits also names its reason. Fails on any other end, and where a reader needed more
than 1.5 GiB or a minute.
"""

import argparse
import asyncio
import random
import resource
import sys
import tempfile
import time
import zipfile
from collections import Counter
from io import BytesIO
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.integrations.parsing.seeds import SEEDS

from dossier.integrations.parsing.children import close_children
from dossier.integrations.parsing.reader import Limits, SandboxedReader
from dossier.integrations.parsing.types import ExtractedText, ReadState

LIMITS = Limits(wall_s=60, cpu_s=50)
MAX_MEMORY_KIB = 1536 * 1024
INTERESTING = (b"\x00", b"\xff", b"-1", b"0", b"99999999999", b"<", b">>", b"/", b"%s")


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Return the bytes with some faults."""
    data = bytearray(content)
    for _ in range(chance.choice((1, 2, 4, 16, 64))):
        at, other = (chance.randrange(len(data) or 1) for _ in range(2))
        size = chance.choice((1, 2, 8, 64, 512))
        inserted = chance.choice(INTERESTING) * chance.choice((1, 1, 100))
        start, end, put = chance.choice(
            (
                (at, at + 1, chance.randbytes(1)),
                (at, at + size, b""),
                (at, at, data[at : at + size]),
                (at, at + size, chance.randbytes(size)),
                (at, at, inserted),
                (at, at + size, data[other : other + size]),
            )
        )
        data[start:end] = put
    return bytes(data[: chance.choice((len(data), len(data), len(data) // 2))])


def mutated_package(content: bytes, chance: random.Random) -> bytes:
    """Return a zip package one of whose parts has faults."""
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(content)) as source:
        names = source.namelist()
        chosen = chance.choice(names)
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
            for name in names:
                part = source.read(name)
                target.writestr(name, mutated(part, chance) if name == chosen else part)
    return out.getvalue()


def is_named(text: ExtractedText) -> bool:
    """Return whether a result says what it is, and why."""
    if text.state is ReadState.UNREADABLE:
        return text.reason is not None and bool(text.detail) and bool(text.warnings)
    is_partly = text.state is ReadState.READ_PARTLY
    return bool(text.text.strip()) and (not is_partly or bool(text.warnings))


async def fuzz(count: int, seed: int) -> int:
    """Read the mutated files, print a summary and return how many failed."""
    ends: Counter[str] = Counter()
    failures = 0
    reader = SandboxedReader(LIMITS)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dossier-fuzz-") as folder:

        async def one(number: int) -> None:
            nonlocal failures
            chance = random.Random(seed * 1_000_003 + number)  # noqa: S311 - no secret
            name, content = chance.choice(list(SEEDS.items()))
            is_package = content.startswith(b"PK") and chance.choice((True, False))
            change = mutated_package if is_package else mutated
            path = Path(folder) / f"{number}-{name}"
            path.write_bytes(change(content, chance))
            try:
                text = await reader.read(path, name)
            except Exception as error:  # noqa: BLE001 - what the run looks for
                failures += 1
                print(f"{path.name}: {type(error).__name__}: {error}"[:300])
                return
            ends[f"{text.state} {text.reason or ''}".strip()] += 1
            if not is_named(text):
                failures += 1
                print(f"{path.name}: without a name: {text}"[:300])
            path.unlink()

        gate = asyncio.Semaphore(4)

        async def gated(number: int) -> None:
            async with gate:
                await one(number)

        async with asyncio.TaskGroup() as group:
            for number in range(count):
                group.create_task(gated(number))
    close_children()  # only of those that ended the kernel tells the largest memory
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    if peak > MAX_MEMORY_KIB:
        failures += 1
    print(f"{count} files in {time.monotonic() - began:.0f} s, seed {seed}")
    print(f"largest reader: {peak // 1024} MiB; failures: {failures}")
    for end, number in ends.most_common():
        print(f"{number:6} {end}")
    return failures


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=1000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    sys.exit(min(asyncio.run(fuzz(arguments.count, arguments.seed)), 1))


if __name__ == "__main__":
    main()
