"""What the file needs to know of formulas; the domain below gives it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID


class FormulaLine(Protocol):
    """One line of a composition, with the place that it was read from."""

    @property
    def position(self) -> int: ...  # noqa: D102 - the table says it

    @property
    def place(self) -> Mapping[str, Any] | None: ...  # noqa: D102 - the table says it


class FormulaVersion(Protocol):
    """One immutable version of a formula; `findings` are stored as JSON."""

    @property
    def number(self) -> int: ...  # noqa: D102 - the table says it
    @property
    def sheet(self) -> str | None: ...  # noqa: D102 - the table says it
    @property
    def filename(self) -> str | None: ...  # noqa: D102 - the table says it
    @property
    def sha256(self) -> str | None: ...  # noqa: D102 - the table says it
    @property
    def tolerance(self) -> Decimal: ...  # noqa: D102 - the table says it
    @property
    def total_lower(self) -> Decimal | None: ...  # noqa: D102 - the table says it
    @property
    def total_upper(self) -> Decimal | None: ...  # noqa: D102 - the table says it
    @property
    def findings(self) -> Sequence[Mapping[str, Any]]: ...  # noqa: D102 - as above


class Formulas(Protocol):
    """Anything that knows the formulas of the organisation's products."""

    async def latest(self, product_id: UUID, /) -> FormulaVersion | None:
        """Return the version that counts, if there is one."""
        ...

    async def lines_of(self, version: Any, /) -> Sequence[FormulaLine]:
        """Return the lines of a version in their order."""
        ...
