"""Versions and roles, on the services."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.factories.documents import make_document
from tests.factories.products import WHOLE, make_product

from dossier.core.database import Session, SessionFactory, tenant_transaction
from dossier.core.findings import Finding, Message, Place, Severity, finding_json
from dossier.core.tenancy import Actor, RoleRequiredError
from dossier.documents.service import DocumentsService
from dossier.pif.constants import DecisionKind
from dossier.pif.exceptions import VersionNotFoundError
from dossier.pif.schemas import PifSnapshot
from dossier.pif.service import PifService
from dossier.products.constants import MatchedBy
from dossier.products.models import Product
from dossier.products.schemas import ProductUpdate
from dossier.products.service import ProductsService

TOTAL = Finding(
    code="total-not-100",
    severity=Severity.BLOCKING,
    market="tw",
    item=3,
    article="PIF Reg. Art. 3(1)(3)",
    message=Message(zh="總和 99.5", en="The total is 99.5."),
    closes_by=Message(zh="更正", en="Correct the sheet."),
    value=Decimal("99.5"),
    place=Place(filename="formula.xlsx", sha256="ab", sheet="A", cell="G12"),
)
