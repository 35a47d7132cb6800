"""Office files without the clock: fixed member times, fixed properties."""

import re
from datetime import UTC, datetime
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

SAVED_AT = datetime(2026, 3, 2, tzinfo=UTC)
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")


def without_clock(content: bytes) -> bytes:
    """Repack an office file so that equal contents give equal members in one order.

    Equal bytes too, where the machine's compressor is the same.
    """
    packed = BytesIO()
    with ZipFile(BytesIO(content)) as old, ZipFile(packed, "w", ZIP_DEFLATED) as new:
        for name in sorted(old.namelist(), key=_members_in_order):
            member = ZipInfo(name)
            new.writestr(member, _settled(name, old.read(name)), ZIP_DEFLATED, 9)
    return packed.getvalue()


def _members_in_order(name: str) -> tuple[bool, str]:
    # Readers and type detection expect the list of content types first.
    return name != "[Content_Types].xml", name


def _settled(name: str, content: bytes) -> bytes:
    if name != "docProps/core.xml":
        return content
    stamp = SAVED_AT.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    return _MODIFIED.sub(rb"\g<1>" + stamp + rb"\g<2>", content)
