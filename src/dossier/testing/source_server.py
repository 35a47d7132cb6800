"""The offline twin of the five sources: their wire formats over invented works.

    async with source_server() as twin:
        settings.sources.base_urls = twin.base_urls

For tests, demonstrations and benchmarks; every work says that it is invented.
"""

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

NOTE: Final = "Invented for tests."
ABSTRACT: Final = (
    f"{NOTE} Niacinamide at 5 % was kept in a cream for 12 weeks; its content fell by "
    "1.8 %. No irritation was seen in 40 volunteers."
)
_FEED: Final = """<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<entry><id>http://arxiv.org/abs/2601.00001v1</id><title>Stability of niacinamide</title>
<summary>{abstract}</summary><published>2026-01-01T00:00:00Z</published>
<author><name>A. Author</name></author></entry></feed>"""
_EMPTY_FEED: Final = (
    '<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"></feed>'
)
_ARTICLES: Final = """<?xml version="1.0"?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle//EN" "pubmed.dtd">
<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID>90000001</PMID><Article>
<ArticleTitle>Niacinamide in leave-on products: a review</ArticleTitle>
<Abstract><AbstractText>{abstract}</AbstractText></Abstract>
<AuthorList><Author><LastName>Lin</LastName><Initials>M</Initials></Author></AuthorList>
<PublicationTypeList><PublicationType>Review</PublicationType></PublicationTypeList>
<Journal><JournalIssue><PubDate><Year>2025</Year></PubDate></JournalIssue></Journal>
</Article></MedlineCitation></PubmedArticle></PubmedArticleSet>"""


@dataclass
class SourceTwin:
    """The twin while it runs: its addresses, its calls, and what it answers instead."""

    address: str
    calls: Counter[str] = field(default_factory=Counter)
    instead: dict[str, Response] = field(default_factory=dict)
    """An answer to a source's questions, by its name or by the end of their path."""
    asked: list[Request] = field(default_factory=list)
    is_empty: bool = False

    @property
    def base_urls(self) -> dict[str, str]:
        """Return the address of each source."""
        names = ("arxiv", "pubmed", "wikipedia", "pubchem", "tavily")
        return {name: f"{self.address}/{name}" for name in names}

    def reset(self) -> None:
        """Answer as after the start, and forget the calls."""
        self.calls.clear()
        self.instead.clear()
        self.asked.clear()
        self.is_empty = False

    async def answer(self, request: Request) -> Response:
        """Answer as the source would whose name begins the path."""
        name = request.path_params["source"]
        self.calls[name] += 1
        self.asked.append(request)
        path = request.path_params["path"]
        for key in (name, path.rsplit("/", 1)[-1]):
            if key in self.instead:
                return self.instead[key]
        return self._usual(name, path)

    def _usual(self, name: str, path: str) -> Response:
        found = not self.is_empty
        feed = _FEED.format(abstract=ABSTRACT) if found else _EMPTY_FEED
        page = {"key": "Niacinamide", "title": "Niacinamide", "excerpt": ABSTRACT}
        substance = {
            "CID": 936,
            "Title": "Niacinamide",
            "MolecularFormula": "C6H6N2O",
            "MolecularWeight": "122.12",
        }
        hit = {
            "title": "Opinion on niacinamide",
            "url": "https://health.ec.europa.eu/invented",
            "content": ABSTRACT,
        }
        if name == "pubmed" and not path.endswith("esearch.fcgi"):
            body = _ARTICLES.format(abstract=ABSTRACT)
            return Response(body, media_type="text/xml")
        if name == "arxiv":
            return Response(feed, media_type="application/atom+xml")
        if name == "pubchem" and not found:
            return JSONResponse({"Fault": {"Code": "PUGREST.NotFound"}}, 404)
        ids = ["90000001"] if found else []
        answers = {
            "pubmed": {"esearchresult": {"idlist": ids}},
            "wikipedia": {"pages": [page] if found else []},
            "pubchem": {"PropertyTable": {"Properties": [substance]}},
            "tavily": {"results": [hit] if found else []},
        }
        return JSONResponse(answers[name])


@asynccontextmanager
async def source_server() -> AsyncIterator[SourceTwin]:
    """Serve the twin on a free port of this machine."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(128)
        twin = SourceTwin(f"http://127.0.0.1:{listening.getsockname()[1]}")
        route = Route("/{source}/{path:path}", twin.answer, methods=["GET", "POST"])
        config = uvicorn.Config(
            Starlette(routes=[route]), lifespan="off", access_log=False, log_config=None
        )
        server = uvicorn.Server(config)
        task = asyncio.create_task(server.serve([listening]))
        try:
            yield twin
        finally:
            server.should_exit = True
            await task
