"""Boxes, matrices and turned lines of a PDF page; lengths in points."""

import math
from collections.abc import Iterator
from typing import Final

from pypdfium2 import raw

Box = tuple[float, float, float, float]
"""Left, bottom, right, top."""
Matrix = tuple[float, ...]
"""a, b, c, d, e, f as PDF writes them."""
WHOLE_PLANE: Final[Box] = (-math.inf, -math.inf, math.inf, math.inf)
_GRID: Final = 40


def along_lines(
    angle: int, x: float, y: float, box: "raw.FS_RECTF"
) -> tuple[float, float, float]:
    """Return left, right and base line of a character as its line runs."""
    if angle == 0:
        return box.left, box.right, y
    if angle == 90:  # noqa: PLR2004 - degrees
        return box.bottom, box.top, -x
    if angle == 180:  # noqa: PLR2004
        return -box.right, -box.left, -y
    if angle == 270:  # noqa: PLR2004
        return -box.top, -box.bottom, x
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    left = x * cosine + y * sine
    width = min(box.right - box.left, box.top - box.bottom) / math.sqrt(2)
    return left, left + width, y * cosine - x * sine


def off_lines(angle: int, u: float, v: float) -> tuple[float, float]:
    """Return the place on the page of a point of a line."""
    if angle == 0:
        return u, v
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return u * cosine - v * sine, u * sine + v * cosine


def turned_box(angle: int, box: Box) -> Box:
    """Return a box of the page as lines of an angle see it."""
    rect = raw.FS_RECTF(left=box[0], bottom=box[1], right=box[2], top=box[3])
    left, right, low = along_lines(angle, box[0], box[1], rect)
    _, _, high = along_lines(angle, box[2], box[3], rect)
    return left, min(low, high), right, max(low, high)


def matrix_product(one: Matrix, other: Matrix) -> Matrix:
    """Return the matrix that applies one matrix and then the other."""
    a, b, c, d, e, f = one
    k, l, m, n, o, p = other  # noqa: E741 - the cells of a matrix
    return (
        a * k + b * m,
        a * l + b * n,
        c * k + d * m,
        c * l + d * n,
        e * k + f * m + o,
        e * l + f * n + p,
    )


def box_around(points: list[tuple[float, float]], matrix: Matrix) -> Box:
    """Return the smallest box around points that a matrix moves."""
    a, b, c, d, e, f = matrix
    moved = [(a * x + c * y + e, b * x + d * y + f) for x, y in points]
    xs, ys = [x for x, _ in moved], [y for _, y in moved]
    return min(xs), min(ys), max(xs), max(ys)


def intersection(one: Box, other: Box) -> Box:
    """Return the box that two boxes share; its sides cross where they share none."""
    return (
        max(one[0], other[0]),
        max(one[1], other[1]),
        min(one[2], other[2]),
        min(one[3], other[3]),
    )


def holds(box: Box, point: tuple[float, float]) -> bool:
    """Return whether a point lies in a box or on its border."""
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


def covered_share(boxes: Iterator[Box], page: Box) -> float:
    """Return the share of the page that boxes cover together, from 0 to 1."""
    width, height = page[2] - page[0], page[3] - page[1]
    if width <= 0 or height <= 0:
        return 0.0
    covered: set[tuple[int, int]] = set()
    for box in boxes:
        left, bottom, right, top = intersection(box, page)
        columns = range(
            math.floor((left - page[0]) / width * _GRID + 0.5),
            math.floor((right - page[0]) / width * _GRID + 0.5),
        )
        rows = range(
            math.floor((bottom - page[1]) / height * _GRID + 0.5),
            math.floor((top - page[1]) / height * _GRID + 0.5),
        )
        covered.update((column, row) for column in columns for row in rows)
    return len(covered) / _GRID**2
