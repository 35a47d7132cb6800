"""Constants of reports."""

from enum import StrEnum

FINDINGS_SCHEMA = "dossier.findings/2"
EARLIER_FINDINGS_SCHEMA = "dossier.findings/1"
EARLIER_SNAPSHOT_SCHEMA = "dossier.pif/1"
INSPECTION_SCHEMA = "dossier.inspection/1"
RENDER_TASK = "reports.render"


class ReportFile(StrEnum):
    """The files of a report, by the names that they have in its address."""

    PDF = "pif.pdf"
    FINDINGS = "findings.json"
    ARCHIVE = "inspection.zip"


MEDIA_TYPES = {
    ReportFile.PDF: "application/pdf",
    ReportFile.FINDINGS: "application/json",
    ReportFile.ARCHIVE: "application/zip",
}

REQUESTERS = ("owner", "admin", "editor", "assessor")
"""Roles that may request a report; every member may read it."""

VIEWED = frozenset({ReportFile.PDF, ReportFile.FINDINGS})
"""Recorded as a view; the archive leaves the system, so it counts as an export."""
