from collections.abc import Callable
from io import BytesIO

import pytest

from dossier.integrations.parsing.documents import read_document
from dossier.integrations.parsing.types import ExtractedText

Extract = Callable[[bytes, str], ExtractedText]


@pytest.fixture
def extract() -> Extract:
    """Read a document, without the sandbox."""

    def run(content: bytes, name: str) -> ExtractedText:
        return read_document(BytesIO(content), filename=name)

    return run
