"""A result as a file: Markdown by its kind, HTML rendered from it, or JSON."""

import html
from typing import Any, Final
from uuid import UUID

import orjson
from markdown_it import MarkdownIt

from dossier.core.downloads import Content, content_of
from dossier.workflows.constants import ExportForm

# Raw HTML is escaped; pictures would be fetched by whoever opens the file.
_RENDERER: Final = MarkdownIt("commonmark", {"html": False}).enable("table")
_RENDERER.disable("image")
_PAGE: Final = """<!doctype html>
<html><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'">
<title>{title}</title></head>
<body>
{body}</body></html>
"""


def exported(
    run_id: UUID, kind: str, form: ExportForm, markdown: str, result: dict[str, Any]
) -> Content:
    """Return a finished result in one of the forms."""
    stem = f"{kind}-{run_id}"
    if form is ExportForm.JSON:
        data = orjson.dumps(result, option=orjson.OPT_INDENT_2)
        return content_of(data, f"{stem}.json", "application/json")
    if form is ExportForm.MARKDOWN:
        media_type = "text/markdown; charset=utf-8"
        return content_of(markdown.encode(), f"{stem}.md", media_type)
    body = _RENDERER.render(markdown)
    page = _PAGE.format(title=html.escape(kind), body=body)
    return content_of(page.encode(), f"{stem}.html", "text/html; charset=utf-8")


def inert(text: str) -> str:
    """Return text in which no character is markup when it stands in Markdown."""
    return "".join(
        f"\\{each}" if each in r"\`*_{}[]<>()#+-!|~&" else each for each in text
    )
