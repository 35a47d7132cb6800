"""Pure rules of the file: the sixteen items, the board, the matching of documents."""

from dossier.pif.rules.board import BoardItem as BoardItem
from dossier.pif.rules.board import BoardRequirement as BoardRequirement
from dossier.pif.rules.board import Completeness as Completeness
from dossier.pif.rules.board import Decision as Decision
from dossier.pif.rules.board import Evidence as Evidence
from dossier.pif.rules.board import Link as Link
from dossier.pif.rules.board import board_items as board_items
from dossier.pif.rules.board import completeness as completeness
from dossier.pif.rules.board import filled_fields as filled_fields
from dossier.pif.rules.gaps import board_findings as board_findings
from dossier.pif.rules.items import Item as Item
from dossier.pif.rules.items import rulebook as rulebook
from dossier.pif.rules.matching import Candidate as Candidate
from dossier.pif.rules.matching import Paper as Paper
from dossier.pif.rules.matching import Proposal as Proposal
from dossier.pif.rules.matching import Target as Target
from dossier.pif.rules.matching import propose as propose
from dossier.pif.rules.matching import targets as targets
