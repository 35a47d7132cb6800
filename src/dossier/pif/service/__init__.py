"""Use cases of the product information file. Commits nothing."""

from dossier.pif.service.board import Board as Board
from dossier.pif.service.board import board_members as board_members
from dossier.pif.service.board import read_board as read_board
from dossier.pif.service.pif import PifService as PifService
from dossier.pif.service.pif import VersionResult as VersionResult
