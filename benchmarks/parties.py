"""Who had the processor while streams flowed: all parties share one machine."""

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.processes import cpu_s, family_cpu_s


@dataclass(slots=True)
class Parties:
    """The processor time of some processes, since the last look."""

    webs: Sequence[int]
    model: int
    database: int
    """The first process of PostgreSQL; those that it began count with it."""
    _began_s: float = field(default_factory=time.monotonic)
    _before: Mapping[str, float] = field(default_factory=dict)

    def begin(self) -> None:
        """Look for the first time."""
        self._began_s = time.monotonic()
        self._before = self._used_s()

    def told(self, tokens: int) -> dict[str, Any]:
        """Tell what each party used for a token, and its share of all cores.

        What is missing from 1 in the shares was idle.
        """
        cores_s = (time.monotonic() - self._began_s) * (os.cpu_count() or 1)
        after = self._used_s()
        used_s = {name: after[name] - before for name, before in self._before.items()}
        all_s = used_s.pop("all")
        shares = {**used_s, "others": all_s - sum(used_s.values())}
        return {
            "cpu_us_per_token_of": {
                name: round(spent_s * 1e6 / tokens, 1)
                for name, spent_s in used_s.items()
            },
            "cpu_share_of": {
                name: round(spent_s / cores_s, 3) for name, spent_s in shares.items()
            },
        }

    def _used_s(self) -> dict[str, float]:
        return {
            "web": sum(map(cpu_s, self.webs)),
            "model_server": cpu_s(self.model),
            "client": cpu_s(os.getpid()),
            "database": family_cpu_s(self.database),
            "all": _machine_s(),
        }


def _machine_s() -> float:
    """Return what all processes have used since the machine began, idle time apart."""
    line = Path("/proc/stat").read_text().partition("\n")[0]
    user, nice, system, _idle, _waiting, *rest = map(int, line.split()[1:9])
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")
