"""PostgreSQL from the wheel: made, started, shared and repaired by ourselves.

`with embedded_postgres(home) as url` (or `async with`) is all that callers need. Knows
neither settings nor SQLAlchemy, and imports little, so that the server can start while
the rest of the program is still being imported.
"""

from dossier.core.embedded.cluster import (
    EmbeddedCluster,
    begin_start,
    embedded_postgres,
)
from dossier.core.embedded.errors import EmbeddedDatabaseError

__all__ = [
    "EmbeddedCluster",
    "EmbeddedDatabaseError",
    "begin_start",
    "embedded_postgres",
]
