"""A formula between reading and keeping: the values of its rows and their hash."""

import json
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from dossier.core.findings import Finding, finding_json
from dossier.products.rules.formula import ParsedFormula
from dossier.products.rules.formula_lines import ParsedLine

_LINE_COLUMNS: Final = tuple(
    each.name for each in fields(ParsedLine) if each.name != "cell"
)


@dataclass(frozen=True, kw_only=True)
class FormulaDraft:
    """What would be stored."""

    document_id: UUID
    filename: str
    sha256: str
    encoding: str | None
    parsed: ParsedFormula

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return what is wrong with it, the gravest first."""
        return self.parsed.findings

    @cached_property
    def content_sha256(self) -> str:
        """Return the hash of the source and of all that was understood of it."""
        content = {**self._reading(), "lines": self.lines()}
        text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
        return sha256(text.encode()).hexdigest()

    def columns(self) -> dict[str, Any]:
        """Return the columns of the version's row."""
        return {**self._reading(), "content_sha256": self.content_sha256}

    def lines(self) -> list[dict[str, Any]]:
        """Return the columns of the lines' rows."""
        return [self._line(line) for line in self.parsed.lines]

    def members(self) -> dict[str, Any]:
        """Return all that a preview shows."""
        return {**self._reading(), "lines": self.lines()}

    def _reading(self) -> dict[str, Any]:
        parsed = self.parsed
        return {
            "document_id": self.document_id,
            "filename": self.filename,
            "sha256": self.sha256,
            "sheet": parsed.sheet,
            "encoding": self.encoding,
            "tolerance": parsed.tolerance,
            "total_lower": parsed.total.lower,
            "total_upper": parsed.total.upper,
            "line_count": len(parsed.lines),
            "header": parsed.header,
            "units": parsed.units,
            "notes": [asdict(note) for note in parsed.notes],
            "findings": [finding_json(finding) for finding in parsed.findings],
        }

    def _line(self, line: ParsedLine) -> dict[str, Any]:
        place = {
            "document_id": str(self.document_id),
            "filename": self.filename,
            "sha256": self.sha256,
            "cell": line.cell,
        }
        if self.parsed.sheet:
            place["sheet"] = self.parsed.sheet
        # Not `asdict`: its deep copies cost more than reading the whole sheet's words.
        row = {name: getattr(line, name) for name in _LINE_COLUMNS}
        return row | {"place": place}
