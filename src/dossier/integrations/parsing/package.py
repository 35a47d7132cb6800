"""Parts of zip packages (OOXML and OpenDocument), parsed without trusting them.

A document type definition is refused, not cut: a file that needs one is not an office
program.
"""

import posixpath
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, Self
from urllib.parse import unquote
from xml.etree.ElementTree import Element, ParseError
from zipfile import BadZipFile, ZipFile

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from dossier.integrations.parsing.archive import check_archive
from dossier.integrations.parsing.exceptions import (
    UnreadableFileError,
    UnreadableReason,
)

DTD_DETAIL: Final = (
    "it carries a document type definition, which no office program writes and which"
    " is refused; save the file again"
)
DTD_DETAIL_ZH: Final = "檔案含文件型別定義（DTD），拒絕開啟；請重新儲存"
_MAX_PART_BYTES: Final = 128 * 1024 * 1024
_DAMAGES: Final = (BadZipFile, KeyError, zlib.error, EOFError, NotImplementedError)


@dataclass(frozen=True, slots=True)
class Relation:
    """One relationship of a part; `kind` is the last word of its type."""

    id: str
    kind: str
    target: str


class Package:
    """An opened zip package; close it, or use it in a `with` statement."""

    def __init__(self, file: BinaryIO, what: str) -> None:
        """Open the archive; `what` names the format in refusals."""
        check_archive(file)
        self._what = what
        try:
            self._archive = ZipFile(file)
        except BadZipFile as error:
            raise self.damaged() from error
        self.names = frozenset(self._archive.namelist())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def damaged(self, part: str = "") -> UnreadableFileError:
        """Return the refusal of a package of which a part is missing or damaged."""
        where = f" (part {part})" if part else ""
        detail = f"the {self._what} is damaged and cannot be opened{where}"
        return UnreadableFileError(UnreadableReason.CORRUPT, f"{detail}; save it again")

    def bytes_of(self, name: str) -> bytes:
        """Return the content of a part."""
        try:
            if self._archive.getinfo(name).file_size > _MAX_PART_BYTES:
                detail = f"its part {name} is larger than {_MAX_PART_BYTES} bytes"
                raise UnreadableFileError(UnreadableReason.TOO_LARGE, detail)
            return self._archive.read(name)
        except _DAMAGES as error:
            raise self.damaged(name) from error

    def xml_of(self, name: str) -> Element:
        """Return the root element of a part."""
        return parse_xml(self.bytes_of(name), self.damaged(name))

    def relations_of(self, part: str) -> list[Relation]:
        """Return the relationships of a part; of the package itself for no name."""
        folder, name = posixpath.split(part)
        source = posixpath.join(folder, "_rels", f"{name}.rels")
        if source not in self.names:
            return []
        relations = []
        for each in self.xml_of(source):
            joined = posixpath.join("/", folder, each.get("Target", ""))
            target = posixpath.normpath(joined).lstrip("/")
            relations.append(
                Relation(
                    id=each.get("Id", ""),
                    kind=each.get("Type", "").rpartition("/")[2],
                    target=target if target in self.names else unquote(target),
                )
            )
        return relations


def parse_xml(content: bytes, damaged: UnreadableFileError) -> Element:
    """Parse XML without document type definition; raise `damaged` for anything else."""
    try:
        root: Element = fromstring(content, forbid_dtd=True)
    except DefusedXmlException as error:
        reason = UnreadableReason.CORRUPT
        raise UnreadableFileError(reason, DTD_DETAIL, DTD_DETAIL_ZH) from error
    except (ParseError, ValueError, LookupError) as error:
        raise damaged from error
    return root


def local_name(element: Element) -> str:
    """Return the name of an element without its namespace.

    Strict and transitional OOXML differ in nothing but their namespaces.
    """
    return element.tag.rpartition("}")[2]


def child_of(element: Element | None, name: str) -> Element | None:
    """Return the first direct child with a local name."""
    return next(children_of(element, name), None)


def children_of(element: Element | None, name: str) -> Iterator[Element]:
    """Yield the direct children with a local name."""
    for child in element if element is not None else ():
        if local_name(child) == name:
            yield child


def attribute_of(element: Element | None, name: str, default: str = "") -> str:
    """Return an attribute by its local name."""
    if element is not None:
        for key, value in element.attrib.items():
            if key.rpartition("}")[2] == name:
                return value
    return default
