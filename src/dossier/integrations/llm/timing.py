"""Clock, pauses and chance, which tests replace."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from dossier.core import clock


@dataclass(frozen=True, slots=True)
class Timing:
    """Where a client gets its time from."""

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = clock.now
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random


SYSTEM_TIMING = Timing()
