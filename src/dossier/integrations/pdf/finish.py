"""Stamps a typeset PDF with what identifies it, and keeps it PDF/A and repeatable."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the metadata say beside title and author."""

    identifier: str
    creator_tool: str


def finish(source: Path, target: Path, stamp: Stamp) -> int:
    """Write the stamped file and return its number of pages.

    The typesetter's own metadata are PDF/A's; only members that have no twin in the
    information dictionary are added, since PDF/A wants the two to agree.
    """
    import pikepdf  # noqa: PLC0415 - 30 MB that only the typesetting process needs

    with pikepdf.open(source) as pdf:
        with pdf.open_metadata(
            set_pikepdf_as_editor=False, update_docinfo=False
        ) as metadata:
            metadata["dc:identifier"] = stamp.identifier
            metadata["xmp:CreatorTool"] = stamp.creator_tool
        pdf.docinfo["/Creator"] = stamp.creator_tool
        pdf.save(
            target,
            deterministic_id=True,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
        )
        return len(pdf.pages)
