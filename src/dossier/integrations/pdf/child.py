"""The typesetting process: reads an order from standard input, writes a PDF.

It lives apart so that a runaway document can be killed and its memory goes back to
the system. Nothing of time zone, locale or environment enters the result.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from dossier.integrations.pdf.coverage import covered_characters, showable
from dossier.integrations.pdf.finish import Stamp, finish

REFUSED = 3
"""Exit code when the typesetter refuses the document; standard error says why."""


def compile_order(order: dict[str, Any]) -> int:
    """Typeset one order into its target and return the number of pages."""
    with tempfile.TemporaryDirectory(dir=Path(order["target"]).parent) as folder:
        raw = Path(folder, "raw.pdf")
        raw.write_bytes(_compile(order, Path(folder)))
        return finish(raw, Path(order["target"]), Stamp(**order["stamp"]))


def _compile(order: dict[str, Any], folder: Path) -> bytes:
    import typst  # noqa: PLC0415 - only this process pays for it

    font = order["font"]
    # A folder of its own with one link: nothing beside the chosen file is seen.
    Path(folder, Path(font["file"]).name).symlink_to(font["file"])
    covered = covered_characters(Path(font["file"]), font["index"])
    compiler = typst.Compiler(
        root=order["root"],
        font_paths=typst.Fonts(
            include_system_fonts=False,
            include_embedded_fonts=True,
            font_paths=[str(folder)],
        ),
        sys_inputs={
            "family": font["family"],
            **{name: _text(value, covered) for name, value in order["inputs"].items()},
        },
    )
    document = compiler.compile(
        str(Path(order["root"], order["template"])),
        format="pdf",
        pdf_standards=["a-3b"],
        timestamp=order["timestamp_s"],
    )
    if not isinstance(document, bytes):
        raise TypeError(type(document))
    return document


def _text(value: Any, covered: frozenset[int]) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(showable(value, covered), ensure_ascii=False)


def main() -> int:
    """Run one order; answer with the number of pages as JSON."""
    import typst  # noqa: PLC0415 - see above

    order = json.load(sys.stdin.buffer)
    try:
        pages = compile_order(order)
    except typst.TypstError as error:
        sys.stderr.write(f"{error.message}\n{error.diagnostic}\n")
        return REFUSED
    json.dump({"pages": pages}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
