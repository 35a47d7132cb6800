"""The rendering process: reads a request from standard input, writes a PDF.

It is a process of its own, so that a document that never ends can be killed, and its
memory goes back to the system. Time zone, locale and environment do not change the
result.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from dossier.integrations.pdf.fonts import covered_characters, showable


def render_request(request: dict[str, Any]) -> int:
    """Render one request into its target and return the number of pages."""
    target = Path(request["target"])
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        raw = Path(folder, "raw.pdf")
        raw.write_bytes(_typeset(request, Path(folder)))
        return _add_metadata(
            raw, target, request["identifier"], request["creator_tool"]
        )


def _typeset(request: dict[str, Any], folder: Path) -> bytes:
    import typst  # noqa: PLC0415 - 20 MB that only this process needs

    font = Path(request["font"]["file"])
    # A folder with one link: the typesetter finds no font beside the chosen one.
    Path(folder, font.name).symlink_to(font)
    covered = covered_characters(font, request["font"]["index"])
    inputs = {
        name: value
        if isinstance(value, str)
        else json.dumps(showable(value, covered), ensure_ascii=False)
        for name, value in request["inputs"].items()
    }
    compiler = typst.Compiler(
        root=str(Path(request["template"]).parent),
        font_paths=typst.Fonts(
            include_system_fonts=False,
            include_embedded_fonts=True,
            font_paths=[str(folder)],
        ),
        sys_inputs={"family": request["family"], **inputs},
    )
    document = compiler.compile(
        request["template"],
        format="pdf",
        pdf_standards=["a-3b"],
        timestamp=request["timestamp_s"],
    )
    if not isinstance(document, bytes):
        raise TypeError(type(document))
    return document


def _add_metadata(
    source: Path, target: Path, identifier: str, creator_tool: str
) -> int:
    """Write the file with what identifies it, and return its number of pages.

    The typesetter's own metadata conform to PDF/A. PDF/A wants them to agree with the
    information dictionary, so only members without a counterpart there are added.
    """
    import pikepdf  # noqa: PLC0415 - 30 MB that only this process needs

    with pikepdf.open(source) as pdf:
        with pdf.open_metadata(
            set_pikepdf_as_editor=False, update_docinfo=False
        ) as metadata:
            metadata["dc:identifier"] = identifier
            metadata["xmp:CreatorTool"] = creator_tool
        pdf.docinfo["/Creator"] = creator_tool
        pdf.save(
            target,
            deterministic_id=True,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
        )
        return len(pdf.pages)


def main() -> int:
    """Render one request; print the number of pages as JSON.

    Returns 1 where the typesetter refuses the document; standard error says why.
    """
    import typst  # noqa: PLC0415 - see above

    request = json.load(sys.stdin.buffer)
    try:
        pages = render_request(request)
    except typst.TypstError as error:
        sys.stderr.write(f"{error.message}\n{error.diagnostic}\n")
        return 1
    json.dump({"pages": pages}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
