"""Documents for tests: rows with or without stored bytes, and small real files."""

from collections.abc import AsyncIterator
from functools import cache
from hashlib import sha256
from io import BytesIO
from typing import Any
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile

import pikepdf

from dossier.core.database import SessionFactory, tenant_transaction
from dossier.core.settings import Settings
from dossier.core.tenancy import Actor
from dossier.documents import gateway
from dossier.documents.constants import BLOB_FOLDER
from dossier.documents.facts.record import read_record
from dossier.documents.facts.types import PageText
from dossier.documents.models import Document
from dossier.documents.service import DocumentsService
from dossier.documents.types import ReceivedFile
from dossier.integrations.storage.client import open_store

LOREM = "Stability of the emulsion was watched for twelve weeks at 40 degrees. "


async def make_document(
    sessions: SessionFactory, org_id: UUID, content: bytes = b"INCI: Aqua", **over: Any
) -> Document:
    """Insert a document without bytes in the store; enough for rows and links."""
    digest = sha256(content).hexdigest()
    values: dict[str, Any] = {
        "filename": "paper.txt",
        "media_type": "text/plain",
        "is_misnamed": False,
        "blob_key": f"{BLOB_FOLDER}/{org_id}/{digest[:2]}/{digest}",
        "sha256": digest,
        "size_bytes": len(content),
    }
    received = ReceivedFile(**values | over)
    async with tenant_transaction(sessions, org_id) as session:
        service = DocumentsService(session, Actor.system(org_id))
        return (await service.receive(received)).document


async def make_stored_document(
    sessions: SessionFactory,
    org_id: UUID,
    settings: Settings,
    content: bytes,
    **over: Any,
) -> Document:
    """Insert a document with its bytes in the store."""

    async def pieces() -> AsyncIterator[bytes]:
        yield content

    store = open_store(settings.storage.url, settings.home)
    blob = await store.write_apart(f"{BLOB_FOLDER}/{org_id}", pieces())
    over = {"blob_key": blob.key} | over
    return await make_document(sessions, org_id, content, **over)


def pdf_bytes(pages: list[str], *, password: str | None = None) -> bytes:
    """Return a PDF with one line of Latin text on each page."""
    out = BytesIO()
    with pikepdf.new() as pdf:
        for text in pages:
            _add_page(pdf, text)
        if password is None:
            pdf.save(out)
        else:
            lock = pikepdf.Encryption(owner=password, user=password)
            pdf.save(out, encryption=lock)
    return out.getvalue()


def _add_page(pdf: pikepdf.Pdf, text: str) -> None:
    page = pdf.add_blank_page(page_size=(595, 842))
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font,
        Subtype=pikepdf.Name.Type1,
        BaseFont=pikepdf.Name.Helvetica,
    )
    page.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
    lines = "".join(f"({line}) Tj T* " for line in text.split("\n"))
    content = f"BT /F1 9 Tf 11 TL 40 800 Td {lines}ET"
    page.Contents = pdf.make_stream(content.encode("latin-1"))


def scanned_pdf_bytes() -> bytes:
    """Return a PDF whose only page is a picture."""
    out = BytesIO()
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(200, 200))
        image = pdf.make_stream(
            b"\x80" * 100,
            Type=pikepdf.Name.XObject,
            Subtype=pikepdf.Name.Image,
            Width=10,
            Height=10,
            ColorSpace=pikepdf.Name.DeviceGray,
            BitsPerComponent=8,
        )
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=image))
        page.Contents = pdf.make_stream(b"q 200 0 0 200 0 0 cm /Im0 Do Q")
        pdf.save(out)
    return out.getvalue()


def joined_pdf_bytes(*contents: bytes) -> bytes:
    """Return a PDF with the pages of several."""
    out = BytesIO()
    with pikepdf.new() as pdf:
        for content in contents:
            with pikepdf.open(BytesIO(content)) as part:
                pdf.pages.extend(part.pages)
        pdf.save(out)
    return out.getvalue()


@cache
def bomb_xlsx_bytes() -> bytes:
    """Return a workbook of a few kilobytes that would unpack to 32 MiB."""
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            zeros = bytes(1 << 20)
            for _ in range(32):
                sheet.write(zeros)
    return out.getvalue()


async def make_read_document(
    sessions: SessionFactory, org_id: UUID, text: str, **over: Any
) -> Document:
    """Insert a document whose text, kind and facts are read."""
    document = await make_document(sessions, org_id, text.encode(), **over)
    part = {"position": 1, "label": "page 1", "text": text, "has_text_layer": True}
    row = {"org_id": org_id, "document_id": document.id, **part}
    async with tenant_transaction(sessions, org_id) as session:
        await gateway.add_texts(session, [row])
        await gateway.mark_read_for_org(
            session,
            org_id,
            document.id,
            page_count=1,
            encoding=None,
            record=read_record([PageText(1, text)]),
        )
        return await session.get_one(Document, document.id)
