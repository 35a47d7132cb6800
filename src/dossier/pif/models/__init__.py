"""Tables of decisions and versions of the file."""

from dossier.pif.models.file import PifDecision as PifDecision
from dossier.pif.models.file import PifVersion as PifVersion
