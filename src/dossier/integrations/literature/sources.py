"""The five sources: how each is asked, and how its answers are read.

arXiv asks for one request in three seconds, PubMed for three a second with the name of
the tool, PubChem for five a second.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote
from xml.etree.ElementTree import Element

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from dossier.integrations.literature.exceptions import SourceMalformedError
from dossier.integrations.literature.types import SourceHit, SourceRank, SourceRequest
from dossier.integrations.parsing.types import storable

_ATOM: Final = "{http://www.w3.org/2005/Atom}"
_MAX_TEXT: Final = 4_000
_REVIEW: Final = re.compile(r"review|meta-analysis", re.IGNORECASE)
_GUIDELINE: Final = re.compile(r"\bOECD\b|guideline|test no\.? ?4\d\d", re.IGNORECASE)
_REGULATORS: Final = re.compile(
    r"https?://(?:[\w.-]+\.)?(?:europa\.eu|fda\.gov(?:\.tw)?|who\.int|efsa\.eu"
    r"|gov\.tw|bfr\.bund\.de|cir-safety\.org)(?:/|$)"
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Keys and the address by which sources may reach the operator."""

    contact: str | None = None
    tavily_key: str | None = None
    pubmed_key: str | None = None


@dataclass(frozen=True, slots=True)
class LiteratureSource:
    """One source. `read` of the answer to `ask` may name a second question."""

    name: str
    base_url: str
    interval_s: float
    ask: Callable[[str, int, Credentials], SourceRequest]
    read: Callable[[bytes], list[SourceHit] | SourceRequest]
    read_again: Callable[[bytes], list[SourceHit]] | None = None
    identify: Callable[[Credentials], Mapping[str, str]] | None = None
    """Parameters that go with every request."""
    unknown_code: bytes | None = None
    """Stands in a 404 that says "nothing found"; any other 404 is an error."""


def _json(body: bytes, source: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as exc:
        detail = f"{source} answered with something that is no JSON."
        raise SourceMalformedError(detail) from exc


def _xml(body: bytes, source: str, root_tag: str) -> Element:
    try:
        root: Element = ElementTree.fromstring(body, forbid_dtd=False)
    except (
        ElementTree.ParseError,
        DefusedXmlException,
        LookupError,  # an encoding that Python does not know
        ValueError,
    ) as exc:
        detail = f"{source} answered with something that is no XML of its kind."
        raise SourceMalformedError(detail) from exc
    if root.tag != root_tag:
        detail = f"{source} answered with something that is no `{root_tag}`."
        raise SourceMalformedError(detail)
    return root


def _text(value: object) -> str:
    """Return a text of an outside server in one paragraph, cut to a length."""
    return " ".join(storable(str(value or "")).split())[:_MAX_TEXT]


def _rows(body: bytes, source: str, *path: str) -> list[Any]:
    """Return the list at a path. Without it the answer is none: not an empty one."""
    data = _json(body, source)
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    if not isinstance(data, list):
        detail = f"{source} answered with something without `{'.'.join(path)}`."
        raise SourceMalformedError(detail)
    return data


def rank_of(title: str, text: str, least: SourceRank, url: str = "") -> SourceRank:
    """Return the rank of a work: by its publisher, else by the words of its title."""
    if _REGULATORS.match(url):
        return SourceRank.REGULATOR
    if _GUIDELINE.search(f"{title} {text[:400]}"):
        return max(least, SourceRank.GUIDELINE_STUDY)
    return max(least, SourceRank.REVIEW) if _REVIEW.search(title) else least


def _ask_arxiv(query: str, limit: int, _: Credentials) -> SourceRequest:
    words = " AND ".join(f"all:{each}" for each in re.findall(r"[\w-]+", query)[:12])
    asked = {"search_query": words, "max_results": str(limit), "sortBy": "relevance"}
    return SourceRequest("/api/query", asked)


def _read_arxiv(body: bytes) -> list[SourceHit]:
    hits = []
    for entry in _xml(body, "arXiv", f"{_ATOM}feed").iter(f"{_ATOM}entry"):
        title = _text(entry.findtext(f"{_ATOM}title"))
        url = _text(entry.findtext(f"{_ATOM}id"))
        if "/api/errors" in url:  # errors come as an entry
            detail = f"arXiv: {_text(entry.findtext(f'{_ATOM}summary'))[:200]}"
            raise SourceMalformedError(detail)
        text = _text(entry.findtext(f"{_ATOM}summary"))
        hits.append(
            SourceHit(
                source="arxiv",
                title=title,
                url=url,
                text=text,
                identifier=url.rsplit("/", 1)[-1],
                authors=tuple(
                    _text(each.findtext(f"{_ATOM}name"))
                    for each in entry.iter(f"{_ATOM}author")
                )[:10],
                published=_text(entry.findtext(f"{_ATOM}published"))[:10],
                rank=rank_of(title, text, SourceRank.PREPRINT),
            )
        )
    return hits


def _ask_pubmed(query: str, limit: int, _: Credentials) -> SourceRequest:
    asked = {
        "db": "pubmed",
        "term": query,
        "retmax": str(limit),
        "retmode": "json",
        "sort": "relevance",
    }
    return SourceRequest("/entrez/eutils/esearch.fcgi", asked)


def _identify_to_pubmed(known: Credentials) -> dict[str, str]:
    named = {"tool": "dossier", "email": known.contact, "api_key": known.pubmed_key}
    return {name: value for name, value in named.items() if value}


def _read_pubmed_ids(body: bytes) -> list[SourceHit] | SourceRequest:
    ids = [str(each) for each in _rows(body, "PubMed", "esearchresult", "idlist")]
    ids = [each for each in ids if each.isdecimal()][:20]
    if not ids:
        return []
    asked = {"db": "pubmed", "id": ",".join(ids), "retmode": "xml"}
    return SourceRequest("/entrez/eutils/efetch.fcgi", asked)


def _read_pubmed(body: bytes) -> list[SourceHit]:
    hits = []
    for article in _xml(body, "PubMed", "PubmedArticleSet").iter("PubmedArticle"):
        pmid = _text(article.findtext(".//PMID"))
        title = _inner(article.find(".//ArticleTitle"))
        text = " ".join(_inner(each) for each in article.iter("AbstractText"))
        kinds = " ".join(_inner(each) for each in article.iter("PublicationType"))
        names = [
            " ".join(filter(None, map(each.findtext, ("LastName", "Initials"))))
            for each in article.iter("Author")
        ]
        least = SourceRank.REVIEW if _REVIEW.search(kinds) else SourceRank.PREPRINT
        hits.append(
            SourceHit(
                source="pubmed",
                title=title,
                url=f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/",
                text=text[:_MAX_TEXT],
                identifier=pmid,
                authors=tuple(filter(None, names))[:10],
                published=_text(article.findtext(".//PubDate/Year")),
                rank=rank_of(title, text, least),
            )
        )
    return hits


def _inner(element: Element | None) -> str:
    return "" if element is None else _text("".join(element.itertext()))


def _ask_wikipedia(query: str, limit: int, known: Credentials) -> SourceRequest:
    headers = {"user-agent": f"Dossier/1 ({known.contact or 'no contact set'})"}
    asked = {"q": query, "limit": str(limit)}
    return SourceRequest("/w/rest.php/v1/search/page", asked, headers=headers)


def _read_wikipedia(body: bytes) -> list[SourceHit]:
    return [
        SourceHit(
            source="wikipedia",
            title=_text(page.get("title")),
            url=f"https://en.wikipedia.org/wiki/{quote(_text(page.get('key')))}",
            text=_text(re.sub(r"<[^>]*>", "", str(page.get("excerpt") or ""))),
            identifier=_text(page.get("key")),
        )
        for page in _rows(body, "Wikipedia", "pages")
        if isinstance(page, dict)
    ]


_PUBCHEM_PROPERTIES: Final = "Title,MolecularFormula,MolecularWeight,IUPACName"


def _ask_pubchem(query: str, _limit: int, _: Credentials) -> SourceRequest:
    name = quote(query.strip()[:200], safe="")
    path = f"/rest/pug/compound/name/{name}/property/{_PUBCHEM_PROPERTIES}/JSON"
    return SourceRequest(path)


def _read_pubchem(body: bytes) -> list[SourceHit]:
    hits = []
    for row in _rows(body, "PubChem", "PropertyTable", "Properties"):
        if not isinstance(row, dict):
            continue
        cid = _text(row.get("CID"))
        stated = [
            f"{label}: {_text(row.get(name))}"
            for name, label in (
                ("MolecularFormula", "molecular formula"),
                ("MolecularWeight", "molar mass (g/mol)"),
                ("IUPACName", "IUPAC name"),
            )
            if row.get(name)
        ]
        hits.append(
            SourceHit(
                source="pubchem",
                title=_text(row.get("Title") or f"CID {cid}"),
                url=f"https://pubchem.ncbi.nlm.nih.gov/compound/{cid}",
                text="; ".join(stated),
                identifier=cid,
                rank=SourceRank.REVIEW,
            )
        )
    return hits


def _ask_tavily(query: str, limit: int, known: Credentials) -> SourceRequest:
    keyed = {"authorization": f"Bearer {known.tavily_key}"}
    headers = keyed if known.tavily_key else {"x-tavily-access-mode": "keyless"}
    return SourceRequest(
        "/search", body={"query": query, "max_results": limit}, headers=headers
    )


def _read_tavily(body: bytes) -> list[SourceHit]:
    return list(_tavily_hits(_rows(body, "Tavily", "results")))


def _tavily_hits(rows: list[Any]) -> Iterator[SourceHit]:
    for row in rows:
        if not isinstance(row, dict):
            continue
        title, url, text = (
            _text(row.get(name)) for name in ("title", "url", "content")
        )
        if url.startswith(("https://", "http://")):
            yield SourceHit(
                source="tavily",
                title=title,
                url=url,
                text=text,
                identifier=url,
                published=_text(row.get("published_date"))[:10],
                rank=rank_of(title, text, SourceRank.WEB, url),
            )


SOURCES: Final = {
    each.name: each
    for each in (
        LiteratureSource(
            "arxiv", "https://export.arxiv.org", 3.0, _ask_arxiv, _read_arxiv
        ),
        LiteratureSource(
            "pubmed",
            "https://eutils.ncbi.nlm.nih.gov",
            0.34,
            _ask_pubmed,
            _read_pubmed_ids,
            _read_pubmed,
            identify=_identify_to_pubmed,
        ),
        LiteratureSource(
            "wikipedia",
            "https://en.wikipedia.org",
            0.2,
            _ask_wikipedia,
            _read_wikipedia,
        ),
        LiteratureSource(
            "pubchem",
            "https://pubchem.ncbi.nlm.nih.gov",
            0.2,
            _ask_pubchem,
            _read_pubchem,
            unknown_code=b"PUGREST.NotFound",
        ),
        LiteratureSource(
            "tavily", "https://api.tavily.com", 0.6, _ask_tavily, _read_tavily
        ),
    )
}
