"""All kinds that ship; a new one is one line here."""

from typing import Final

from dossier.workflows.kinds.reflection import REFLECTION
from dossier.workflows.types import WorkflowKind

ALL_KINDS: Final[tuple[WorkflowKind, ...]] = (REFLECTION,)
