"""Advisory file locks.

The system frees a lock when its holder ends, however it ends; therefore users are
counted by locks and not by pid files.
"""

import fcntl
import os
import time
from pathlib import Path

from dossier.core.embedded.errors import EmbeddedDatabaseError

_POLL_S = 0.01


class FileLock:
    """One open handle on a file; closing it gives the lock back."""

    def __init__(
        self, path: Path, owner: tuple[int, int] | None = None, flags: int = 0
    ) -> None:
        self.path = path
        flags |= os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self.fd = os.open(path, flags, 0o600)
        if owner is not None:
            os.fchown(self.fd, *owner)

    def try_exclusive(self) -> bool:
        """Take the lock exclusively, unless another process has it."""
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def share(self) -> None:
        """Take the lock shared with others."""
        fcntl.flock(self.fd, fcntl.LOCK_SH)

    def exclusive(self, timeout_s: float) -> None:
        """Take the lock exclusively, waiting for its present holder."""
        deadline = time.monotonic() + timeout_s
        while not self.try_exclusive():
            if time.monotonic() > deadline:
                reason = f"Another process has held {self.path} for {timeout_s:.0f} s."
                raise EmbeddedDatabaseError(reason, "End that process and try again.")
            time.sleep(_POLL_S)

    def is_current(self) -> bool:
        """Return whether the file we hold is still the one under its name."""
        try:
            return self.path.stat().st_ino == os.fstat(self.fd).st_ino
        except OSError:  # the file is gone, or we have given it back
            return False

    def close(self) -> None:
        """Give the lock back; a second call does nothing."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
