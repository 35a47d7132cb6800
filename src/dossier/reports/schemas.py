"""Reports as clients see them, and the machine-readable findings.

`FindingsDocument` is the source of `data/findings.schema.json`, the published contract
of `findings.json`: its docstrings are part of it.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dossier.core.findings import Basis, Severity, Verdict
from dossier.core.schemas import RequestModel, ResponseModel
from dossier.pif.constants import FileStatus
from dossier.reports.constants import FINDINGS_SCHEMA

DecimalString = Annotated[
    str, Field(pattern=r"^-?\d+(\.\d+)?$", description="An exact decimal, as text.")
]
Sha256 = Annotated[
    str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256, hexadecimal digits.")
]


class ReportRequest(RequestModel):
    """Ask for the printed file of the present state."""

    market: Literal["tw"] = "tw"


class ReportFileResponse(ResponseModel):
    """One file of a report."""

    path: str
    filename: str
    size_bytes: int
    sha256: str


class ReportResponse(ResponseModel):
    """A report; `files` is empty until its job is done."""

    id: UUID
    product_id: UUID
    version_number: int
    market: str
    job_id: UUID | None
    page_count: int | None
    created_at: datetime
    rendered_at: datetime | None
    files: dict[str, ReportFileResponse]

    @model_validator(mode="before")
    @classmethod
    def _with_paths(cls, row: Any) -> dict[str, Any]:
        members = {name: getattr(row, name) for name in cls.model_fields}
        stored: dict[str, Any] = members["files"] or {}
        members["files"] = {
            name: {**file, "path": f"/api/v1/reports/{row.id}/{name}"}
            for name, file in stored.items()
        }
        return members


class DocumentPart(BaseModel):
    """A part of the findings document; closed."""

    model_config = ConfigDict(extra="forbid")


class Bilingual(DocumentPart):
    """The same words in Traditional Chinese and English."""

    zh: str
    en: str


class FindingPlace(DocumentPart):
    """Where in which file: a page, or a sheet with a cell."""

    filename: str
    sha256: Sha256
    document_id: UUID | None = None
    page: int | None = Field(None, ge=1)
    sheet: str | None = None
    cell: str | None = None
    box: list[DecimalString] | None = Field(
        None,
        min_length=4,
        max_length=4,
        description="Left, top, right, bottom in points from the page's top left.",
    )


class EarlierFindingEntry(DocumentPart):
    """Something that a person should see."""

    code: str
    severity: Severity
    market: str
    item: int | None = Field(ge=1, le=16)
    article: str | None
    message: Bilingual
    closes_by: Bilingual
    verdict: Verdict | None = None
    ingredient: str | None = None
    value: DecimalString | None = None
    limit: DecimalString | None = None
    margin: DecimalString | None = None
    unit: str | None = None
    place: FindingPlace | None = None


class FindingEntry(EarlierFindingEntry):
    """Something that a person should see."""

    id: str = Field(description="The same for the same code, item and subject.")
    since: date | None = Field(description="Day on which it was first seen.")
    basis: Basis
    blocks_signing: bool
    subject: str | None = None
    caused_by: str | None = Field(
        None, description="The `id` of the finding that this one follows from."
    )


class ItemEntry(DocumentPart):
    """One of the sixteen items and how it stands."""

    number: int = Field(ge=1, le=16)
    title: Bilingual
    article: str
    state: Literal[
        "present",
        "declared",
        "waived",
        "not_applicable",
        "stale",
        "unconfirmed",
        "missing",
    ]


class ProductEntry(DocumentPart):
    """Which product this is about."""

    id: UUID
    code: str | None
    name_zh: str | None
    name_en: str | None
    category: str


class EarlierCompletenessEntry(DocumentPart):
    """How many items stand in which state; `complete` counts the first four."""

    present: int
    declared: int
    waived: int
    not_applicable: int
    stale: int
    missing: int
    complete: int
    total: int


class CompletenessEntry(EarlierCompletenessEntry):
    """How many items stand in which state.

    `blocked` are complete by their state, but have a blocking finding. `complete`,
    `blocked`, `unconfirmed`, `stale` and `missing` make up the total.
    """

    unconfirmed: int
    blocked: int
    status: FileStatus | None = None


class NoteEntry(DocumentPart):
    """What was chosen, left out or assumed in reading the formula, or its remark."""

    code: str
    kind: str | None = None
    zh: str
    en: str
    cell: str | None


class FormulaEntry(DocumentPart):
    """The formula that the version is based on, and how it was read."""

    number: int
    sheet: str | None
    filename: str | None
    notes: list[NoteEntry]


class GeneratorEntry(DocumentPart):
    """The program that made the version."""

    name: str
    version: str


class FindingsDocument(DocumentPart):
    """The state and the findings of one version of a product information file."""

    model_config = ConfigDict(
        extra="forbid", validate_by_name=True, serialize_by_alias=True
    )

    schema_id: Literal["dossier.findings/2"] = Field(alias="schema")
    market: str
    version_number: int = Field(ge=1)
    version_sha256: Sha256
    created_at: datetime
    product: ProductEntry
    completeness: CompletenessEntry
    items: list[ItemEntry]
    formula: FormulaEntry | None = Field(
        None, description="Absent in versions of earlier releases."
    )
    findings: list[FindingEntry] = Field(description="Blocking first, then by item.")
    generator: GeneratorEntry


class EarlierFindingsDocument(DocumentPart):
    """The same for versions made before `dossier.pif/2`: they print as they did."""

    model_config = FindingsDocument.model_config

    schema_id: Literal["dossier.findings/1"] = Field(alias="schema")
    market: str
    version_number: int = Field(ge=1)
    version_sha256: Sha256
    created_at: datetime
    product: ProductEntry
    completeness: EarlierCompletenessEntry
    items: list[ItemEntry]
    findings: list[EarlierFindingEntry]
    generator: GeneratorEntry


def findings_schema() -> dict[str, Any]:
    """Return the JSON Schema of `findings.json`."""
    schema = FindingsDocument.model_json_schema(by_alias=True, mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{FINDINGS_SCHEMA.replace('.', ':').replace('/', ':')}",
        **schema,
    }
