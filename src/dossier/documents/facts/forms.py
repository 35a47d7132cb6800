"""Known forms of words that state a fact without a label."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from dossier.documents.facts.dates import find_dates
from dossier.documents.facts.fields import Field, FieldStanding, match_label
from dossier.documents.facts.folding import CJK, fold, printed
from dossier.documents.facts.types import Signature
from dossier.documents.facts.values import (
    Value,
    companies,
    persons,
    signing_persons,
    sites,
)
from dossier.documents.facts.vocabulary import Label, phrases

_CAS: Final = re.compile(r"(?<![\d-])(\d{2,7})-(\d{2})-(\d)(?![\d-])")

_METHODS: Final = (
    (
        re.compile(
            r"(?<![a-z])(?:(?:en|bs|din|cns)[ -]+)*iso[ /-]*(?P<ts>t[rs][ -]*)?"
            r"(?P<number>11930|17516|18415|21149|16212|21150|22717|22718|18416|29621"
            r"|24442|24443|24444|16217|18861|18811|23675|23698|21148|21322)"
            r"(?: *[:-] *(?P<year>(?:19|20)\d\d))?(?!\d)"
        ),
        "ISO {ts}{number}{year}",
    ),
    (
        re.compile(
            r"(?<![a-z])(?:ep|ph\. ?eur\.?|european pharmacopoeia|欧洲药典)"
            r"[^\n\d]{0,20}(?:\d{1,2}(?:\.0)?[ ,]+)?(?:chapter |monograph )?"
            r"(?P<number>5\.1\.3|2\.6\.12|2\.6\.13|5\.1\.4)(?![\d.])"
        ),
        "EP {number}",
    ),
    (
        re.compile(
            r"(?<![a-z])(?:usp(?:[ -]nf)?|美国药典)[^\n\d<]{0,14}"
            r"(?:<(?P<angle>\d{2,4})>|(?:chapter )?(?P<number>51|61|62)(?!\d))"
        ),
        "USP <{number}>",
    ),
    (
        re.compile(r"(?<![a-z])oecd[^\n\d]{0,20}(?P<number>4\d\d[a-z]?)(?!\d)"),
        "OECD {number}",
    ),
    (
        re.compile(r"(?<![a-z])(?:ctfa|pcpc)[ -]+(?P<number>m-?\d)(?!\d)"),
        "PCPC {number}",
    ),
)
_NOT_THIS_METHOD: Final = re.compile(phrases("not_this_method") + r"[^.;。\n]{0,40}$")
_NOT_THEN: Final = re.compile(r"^[^.;。\n]{0,12}" + phrases("not_used"))

_CERTIFIED_PERSON: Final = (
    re.compile(
        rf"(?:兹证明|玆证明|证明|学员|学生|授予|颁予)[ :]*(?P<name>[{CJK}]{{2,4}}?)"
        r" *(?:君|先生|女士|小姐|同学|老师|药师|医师|博士"
        r"|[ ,]*(?:于|已|在本校|参加|完成|修习|修毕|曾|生于|,|性别|系|中华民国|民国))"
    ),
    re.compile(
        r"(?:certif(?:y|ies) that|awarded to|presented to|conferred (?:up)?on"
        r"|granted to)[:\s]*(?:(?:mr|ms|mrs|dr)\.?\s+)?"
        r"(?P<name>[a-z][a-z'\-]+(?:,? [a-z][a-z'\-]+){1,3}?"
        rf"(?: *\(?[{CJK}]{{2,4}}\)?)?)"
        r"\s*(?=\n|,|$|(?:has|have|completed|attended|participated|successfully|passed"
        r"|the degree|was|is)\b)"
    ),
)
_CERTIFIED_COMPANY: Final = re.compile(
    r"(?:certif(?:y|ies) that(?: the)?"
    r"(?: (?:(?:quality|gmp) )?(?:management |manufacturing )?(?:system|site|company"
    r"|organi[sz]ation|manufacturer|facility|premises) of| company| manufacturer)?"
    r"|[兹玆]证明(?! *this))[:\s]*(?P<name>[^\n]{3,90})"
)
_DECLARING_COMPANY: Final = re.compile(
    r"(?:^|\n) *(?:we,? +(?P<we>[^\n]{3,80}?),? +(?:hereby )?"
    r"(?:declare|confirm|certify|state)"
    r"|(?:本公司|本厂|本企业) *(?P<zh>[^\n,。]{4,40}?) *(?:兹|谨|特此|在此)?"
    r"(?:声明|切结|保证)"
    r"|(?P<name>[^\n]{3,80}?) +(?:hereby )?(?:declares|confirms|states) that)"
)
_OWN_SITE: Final = re.compile(
    r"(?:our|the) (?:manufacturing |production )?(?:plant|site|facility|factory"
    r"|premises)(?: located| situated)?(?: at)?:?\s*(?P<site>[^\n]{8,120})"
)
_VALIDITY: Final = re.compile(
    r"(?:(?:certificate|registration)(?: is| remains| will remain| shall remain)?"
    r"(?: valid (?:until|through|to|till)| expires on)"
    r"|(?:证书|证明书|登录)之?(?:有效期(?:限|间)?|有效)(?:至|到))"
    r"[ :]*(?P<date>[^\n]{6,40})"
)
_DATE_LINE: Final = re.compile(
    r"\s*(?:(?:中\s*华\s*民\s*国|民国)\s*[^\s年]{1,6}|(?:19|20)\d\d)\s*年"
    r"\s*[^\s月]{1,3}\s*月\s*[^\s日]{1,3}\s*日\s*"
    r"|\s*[a-z][a-z .'-]{1,30}, *(?:the )?\d{1,2}(?:st|nd|rd|th)?[ .]+[a-z]{3,9}"
    r"[ .]+\d{4}"
)
_NO_LETTERHEAD: Final = re.compile(phrases("not_a_letterhead"))

_BLANK: Final = re.compile(
    r"^[\s:()\[\]]*(?:_{3,}|\.{4,}|…+|-{4,}|\(\s*\)|\[\s*\])[\s_.…()\[\]-]*$"
)
_NOT_SIGNED: Final = re.compile(phrases("unsigned"))
_NEEDS_NO_SIGNATURE: Final = re.compile(phrases("needs_no_signature"))
_DRAFT: Final = re.compile(
    r"^[\s*#\-=\[(<【]*(?:(?:document )?(?:status|状态|文件状态|版本|version)[ :]*)?"
    rf"{phrases('draft')}(?:[ \-,:·/]*(?:{phrases('draft')}|{phrases('draft_note')}))*"
    r"[\s*#\-=\])>】.]*$"
)
_DRAFT_IN_TITLE: Final = re.compile(
    rf"[(\[【] *{phrases('draft')}[^)\]】]{{0,12}}[)\]】]"
)
_SIGNED: Final = re.compile(phrases("signed"))
_SIGNATURE_BRACKET: Final = re.compile(
    r"\((?:亲?签名?|签章|签字|亲签|签名?盖章|signature)\)(?! *:)"
)
_ROLE: Final = re.compile(r"\s*[·,，/|-]\s*\S")
DRAFT_TITLE_LINES: Final = 8
LONGEST_NOTE: Final = 80


@dataclass(frozen=True, slots=True)
class SignatureReading:
    """A sign that a document is or is not signed, its line, and who signed."""

    value: Signature
    raw: str
    line: int
    persons: tuple[Value, ...] = ()


def cas_numbers(text: str) -> list[Value]:
    """Return the CAS numbers of a text whose check digit is right."""
    found = []
    for match in _CAS.finditer(fold(text)):
        digits = match[1] + match[2]
        total = sum(n * int(d) for n, d in enumerate(reversed(digits), start=1))
        if total % 10 == int(match[3]):
            raw = text[match.start() : match.end()]
            found.append(Value(match[0].lstrip("0"), raw, is_whole=True))
    return found


def methods(text: str) -> list[Value]:
    """Return the test methods that a text names, without those it did not use."""
    folded = fold(text)
    found = []
    for pattern, form in _METHODS:
        for match in pattern.finditer(folded):
            if _NOT_THIS_METHOD.search(folded[: match.start()][-80:]):
                continue
            if _NOT_THEN.match(folded[match.end() :][:60]):
                continue
            raw = text[match.start() : match.end()].strip()
            found.append((match.start(), Value(_method_name(form, match), raw)))
    named = [value for _, value in sorted(found, key=lambda entry: entry[0])]
    # A method without its year is left out where the same method has one.
    return [
        value
        for value in named
        if not any(other.value.startswith(f"{value.value}:") for other in named)
    ]


def _method_name(form: str, match: re.Match[str]) -> str:
    groups = {name: value or "" for name, value in match.groupdict().items()}
    year = f":{groups['year']}" if groups.get("year") else ""
    ts = f"{groups['ts'].strip(' -').upper()} " if groups.get("ts") else ""
    number = (groups.get("number") or groups.get("angle", "")).upper()
    return form.format(ts=ts, number=number, year=year)


def certified_persons(text: str) -> list[Value]:
    """Return whom a certificate is about: 茲證明…君, "this is to certify that …"."""
    folded = fold(text)
    found = []
    for pattern in _CERTIFIED_PERSON:
        for match in pattern.finditer(folded):
            raw = text[match.start("name") : match.end("name")].strip()
            found.extend(persons(raw))
    return found


def certified_companies(text: str) -> list[Value]:
    """Return the company that a certificate is about."""
    return [value for value, _ in _certified(text)]


def declaring_companies(text: str) -> list[Value]:
    """Return the company that speaks: "We, Rose Ltd, declare", 本公司…聲明."""
    found: list[Value] = []
    for match in _DECLARING_COMPANY.finditer(fold(text)):
        raw = text[match.start(match.lastgroup or 0) : match.end(match.lastgroup or 0)]
        found.extend(value for value in companies(raw) if value.is_whole)
    return found


def certified_sites(text: str) -> list[Value]:
    """Return the address below the certified company, or after "our plant"."""
    stated = [below for _, below in _certified(text)]
    stated += [
        text[match.start("site") : match.end("site")]
        for match in _OWN_SITE.finditer(fold(text))
    ]
    return [
        value
        for words in stated
        if match_label(fold(words.strip()), 0) is None
        for value in sites(words)
        if re.search(r"\d", value.raw)
    ]


def _certified(text: str) -> Iterator[tuple[Value, str]]:
    """Yield the certified companies, each with the line below it."""
    folded = fold(text)
    for match in _CERTIFIED_COMPANY.finditer(folded):
        below = text[match.end() :].lstrip("\n").split("\n")[0]
        for value in companies(text[match.start("name") : match.end("name")]):
            if value.is_whole and not fold(value.raw).startswith(("the ", "下列")):
                yield value, below


def dates_alone(lines: Sequence[str]) -> list[str]:
    """Return lines that are a date in full: how Chinese letters and deeds end."""
    return [
        line.strip()
        for line in lines
        if _DATE_LINE.fullmatch(fold(line)) and find_dates(line)
    ]


def validity_sentences(text: str) -> Iterator[str]:
    """Yield the words of sentences that say until when a certificate is valid."""
    folded = fold(text)
    for match in _VALIDITY.finditer(folded):
        raw = text[match.start("date") : match.end("date")]
        dates = find_dates(raw)
        if len(dates) == 1 and dates[0].start <= 1:
            yield raw[: dates[0].end].strip()


def letterhead(lines: Sequence[str]) -> list[Value]:
    """Return the organisation that the first line of a document names."""
    first = next((line for line in lines if line.strip()), "")
    if _NO_LETTERHEAD.search(fold(first)) or ":" in fold(first):
        return []
    return [value for value in companies(first) if value.is_whole]


def signatures(lines: Sequence[str], fields: Sequence[Field]) -> list[SignatureReading]:
    """Return the signs of a page that the document is or is not signed."""
    found = [
        _signature_field(field) for field in fields if field.label is Label.SIGNATURE
    ]
    for number, line in enumerate(lines):
        folded = fold(line)
        if _NEEDS_NO_SIGNATURE.search(folded):
            continue
        if _DRAFT.match(folded) or (
            number <= DRAFT_TITLE_LINES and _DRAFT_IN_TITLE.search(folded)
        ):
            found.append(SignatureReading(Signature.DRAFT, line.strip(), number))
        elif _NOT_SIGNED.search(folded) and len(line) < LONGEST_NOTE:
            found.append(SignatureReading(Signature.UNSIGNED, line.strip(), number))
        elif _SIGNED.search(folded):
            found.append(SignatureReading(Signature.SIGNED, line.strip(), number))
        elif (bracket := _SIGNATURE_BRACKET.search(folded)) and (
            named := signing_persons(line[bracket.end() :])
        ):
            # A name after a bracket: "(簽名) 高淑芬".
            found.append(
                SignatureReading(Signature.SIGNED, line.strip(), number, tuple(named))
            )
        elif reading := _written_name(lines, number):
            found.append(reading)
    return found


def _signature_field(field: Field) -> SignatureReading:
    """Read a signature's field; a name on the line below may only be printed there."""
    raw = field.value or field.words
    if _BLANK.match(fold(raw)):
        return SignatureReading(Signature.BLANK, raw, field.line)
    named = signing_persons(raw)
    if named and field.standing is not FieldStanding.NEXT_LINE:
        return SignatureReading(Signature.SIGNED, raw, field.line)
    return SignatureReading(Signature.UNKNOWN, raw, field.line)


def _written_name(lines: Sequence[str], number: int) -> SignatureReading | None:
    """Return a name that stands alone above the same name with a function."""
    line = lines[number].strip()
    if not line or number + 1 >= len(lines):
        return None
    below = lines[number + 1].strip()
    rest = below[len(line) :]
    if not below.startswith(line) or not _ROLE.match(rest):
        return None
    named = persons(line)
    if not named or named[0].raw != printed(line):
        return None
    return SignatureReading(Signature.SIGNED, below, number + 1, tuple(named))
