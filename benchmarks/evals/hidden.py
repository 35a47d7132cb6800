"""A paper whose demand is printed in white: nobody sees it, every reader reads it."""

import tempfile
from io import BytesIO
from pathlib import Path

import pikepdf

from dossier.core.settings import LimitSettings
from dossier.integrations.parsing.reader import SandboxedReader, limits_of

_SIZE = 10


def pdf_with_hidden_text(seen: str, unseen: str) -> bytes:
    """Return a page with a line in black, and one in white below."""
    out = BytesIO()
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(595, 842))
        font = pikepdf.Dictionary(
            Type=pikepdf.Name.Font,
            Subtype=pikepdf.Name.Type1,
            BaseFont=pikepdf.Name.Helvetica,
        )
        page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        content = (
            f"BT /F1 {_SIZE} Tf 12 TL 40 800 Td 0 0 0 rg ({seen}) Tj T* "
            f"1 1 1 rg ({unseen}) Tj ET"
        )
        page.Contents = pdf.make_stream(content.encode("latin-1"))
        pdf.save(out)
    return out.getvalue()


async def read_hidden(seen: str, unseen: str) -> str:
    """Return what the product's own reader makes of such a page."""
    with tempfile.TemporaryDirectory(prefix="dossier-hidden-") as folder:
        path = Path(folder) / "hidden.pdf"
        path.write_bytes(pdf_with_hidden_text(seen, unseen))
        reader = SandboxedReader(limits_of(LimitSettings()))
        text = await reader.read(path, path.name)
    return "\n".join(page.text for page in text.pages)
