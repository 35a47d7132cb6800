"""In which order messages stand, whatever the clocks of two processes say."""

from datetime import datetime, timedelta
from typing import Final

STEP: Final = timedelta(microseconds=1)


def next_instant(at: datetime, newest: datetime | None) -> datetime:
    """Return an instant behind the newest message's, the present one where it is."""
    return at if newest is None or at > newest else newest + STEP
