"""Values that are read from a document, and what they are compared with."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class FactName(StrEnum):
    """What a fact says. `site` holds names and addresses of manufacturing sites.

    `document_date` is the date of the report, certificate or revision, `signed_on` the
    date beside the signature. `valid_from` and `valid_until` limit the document itself;
    the dates of a lot (`manufacture_date`, `lot_expiry_date`) never do. `waiver_reason`
    is the kind of a test that an assessment says is not needed, and why. `use_amount`
    is the amount of one use, `use_frequency` has the form `1-2 per day`. `period_from`
    and `period_until` limit what a record of undesirable effects covers. `language` is
    that of the prose, where it is neither Chinese nor English.
    """

    PRODUCT_NAME = "product_name"
    PRODUCT_CODE = "product_code"
    COMPANY = "company"
    SITE = "site"
    LOT = "lot"
    DOCUMENT_DATE = "document_date"
    VALID_FROM = "valid_from"
    VALID_UNTIL = "valid_until"
    ISSUER = "issuer"
    SIGNATURE = "signature"
    SIGNER_NAME = "signer_name"
    SIGNED_ON = "signed_on"
    METHOD = "method"
    VERDICT = "verdict"
    FORMULA_CODE = "formula_code"
    FORMULA_VERSION = "formula_version"
    PACK_VERSION = "pack_version"
    INCI_NAME = "inci_name"
    CAS_NUMBER = "cas_number"
    TRADE_NAME = "trade_name"
    MANUFACTURE_DATE = "manufacture_date"
    LOT_EXPIRY_DATE = "lot_expiry_date"
    WAIVER_REASON = "waiver_reason"
    USE_METHOD = "use_method"
    BODY_SITE = "body_site"
    USE_AMOUNT = "use_amount"
    USE_FREQUENCY = "use_frequency"
    POPULATION = "population"
    PERIOD_FROM = "period_from"
    PERIOD_UNTIL = "period_until"
    LANGUAGE = "language"


class FactState(StrEnum):
    """Whether the value may be used.

    `unknown`: the document has the field, but its value is not certain (an ambiguous
    date, contradicting statements); `value` is then empty, or `unknown` for signatures.
    """

    READ = "read"
    UNKNOWN = "unknown"


class Signature(StrEnum):
    """Values of the fact `signature`."""

    SIGNED = "signed"
    BLANK = "blank"
    DRAFT = "draft"
    UNSIGNED = "unsigned"
    UNKNOWN = "unknown"


class StatedVerdict(StrEnum):
    """Values of the fact `verdict`."""

    PASS = "pass"  # noqa: S105 - a test result
    FAIL = "fail"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class PageText:
    """Text of one page; `number` is `None` for formats without pages.

    Cells of one table row are separated by tabs.
    """

    number: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One value with the words that state it, as printed, and their place."""

    value: str
    raw: str
    page: int | None
    cell: str | None
    confidence: Decimal
    state: FactState


@dataclass(frozen=True, slots=True)
class KindReading:
    """The kind of a document, named as in the table of document kinds.

    `kind` is `None` where the content does not decide; `candidates` are then the kinds
    that it may be. `raw` are the words that decided.
    """

    kind: str | None
    raw: str
    page: int | None
    confidence: Decimal
    candidates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MaterialIdentity:
    """A raw material of the formula."""

    trade_names: tuple[str, ...] = ()
    inci_names: tuple[str, ...] = ()
    cas_numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SiteIdentity:
    """A manufacturing site of the product."""

    name: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class OtherProduct:
    """Another product of the same organisation."""

    names: tuple[str, ...]
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductIdentity:
    """What a document must name in order to be about this product.

    `names` are the product's names and aliases, `brands` names that may stand before
    them. `signers` are the names under the signed assessment, item 16(1).
    """

    names: tuple[str, ...]
    codes: tuple[str, ...] = ()
    formula_codes: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    materials: tuple[MaterialIdentity, ...] = ()
    sites: tuple[SiteIdentity, ...] = ()
    signers: tuple[str, ...] = ()
    others: tuple[OtherProduct, ...] = ()


class IdentityState(StrEnum):
    """Whether a document is about this product."""

    THIS_PRODUCT = "this_product"
    OTHER_PRODUCT = "other_product"
    UNKNOWN = "unknown"


class IdentityReason(StrEnum):
    """What decided the identity of a document."""

    NAME_MATCHES = "name_matches"
    CODE_MATCHES = "code_matches"
    FORMULA_CODE_MATCHES = "formula_code_matches"
    NAME_IN_TEXT = "name_in_text"
    KNOWN_OTHER_PRODUCT = "known_other_product"
    CODE_CONFLICTS = "code_conflicts"
    NAME_DIFFERS = "name_differs"
    CONTRADICTING_IDENTIFIERS = "contradicting_identifiers"
    NO_IDENTIFIER = "no_identifier"
    TRADE_NAME_MATCHES = "trade_name_matches"
    INCI_MATCHES = "inci_matches"
    CAS_MATCHES = "cas_matches"
    CAS_CONFLICTS = "cas_conflicts"
    CAS_PARTLY_MATCHES = "cas_partly_matches"
    SITE_MATCHES = "site_matches"
    SITE_CONFLICTS = "site_conflicts"
    SITE_DIFFERS = "site_differs"
    SIGNER_MATCHES = "signer_matches"
    SIGNER_CONFLICTS = "signer_conflicts"
    SIGNER_DIFFERS = "signer_differs"
    NOT_COMPARABLE = "not_comparable"


@dataclass(frozen=True, slots=True)
class IdentityReading:
    """The identity of a document, what decided it, and the words with their page."""

    state: IdentityState
    reason: IdentityReason
    raw: str = ""
    page: int | None = None
