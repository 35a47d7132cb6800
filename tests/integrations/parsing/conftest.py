from collections.abc import Callable
from pathlib import Path

import pytest

from dossier.integrations.parsing.documents import read_document
from dossier.integrations.parsing.types import ExtractedText

Extract = Callable[[bytes, str], ExtractedText]


@pytest.fixture
def extract(tmp_path: Path) -> Extract:
    """Write a file and read it, without the sandbox."""

    def run(content: bytes, name: str) -> ExtractedText:
        path = tmp_path / name
        path.write_bytes(content)
        return read_document(str(path), filename=name)

    return run
