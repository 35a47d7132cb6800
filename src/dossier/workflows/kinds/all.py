"""All kinds that ship; a new one is one line here."""

from typing import Final

from dossier.workflows.kinds.multi_agent import MULTI_AGENT
from dossier.workflows.kinds.reflection import REFLECTION
from dossier.workflows.kinds.research import RESEARCH
from dossier.workflows.types import WorkflowKind

ALL_KINDS: Final[tuple[WorkflowKind, ...]] = (REFLECTION, RESEARCH, MULTI_AGENT)
