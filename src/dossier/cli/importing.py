"""Imports without garbage collection, which takes a seventh of their time."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing() -> Iterator[None]:
    """Switch garbage collection off meanwhile: imported objects are never garbage."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
