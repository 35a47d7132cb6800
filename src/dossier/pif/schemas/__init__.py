"""Requests, responses and the snapshot of the product information file."""

from dossier.pif.schemas.board import BoardResponse as BoardResponse
from dossier.pif.schemas.board import DecisionRequest as DecisionRequest
from dossier.pif.schemas.board import DecisionResponse as DecisionResponse
from dossier.pif.schemas.board import VersionResponse as VersionResponse
from dossier.pif.schemas.board import VersionSummary as VersionSummary
from dossier.pif.schemas.board import item_members as item_members
from dossier.pif.schemas.match import MAX_MATCHED as MAX_MATCHED
from dossier.pif.schemas.match import MatchList as MatchList
from dossier.pif.schemas.match import MatchRequest as MatchRequest
from dossier.pif.schemas.match import MatchResponse as MatchResponse
from dossier.pif.schemas.match import match_response as match_response
from dossier.pif.schemas.snapshot import PifSnapshot as PifSnapshot
