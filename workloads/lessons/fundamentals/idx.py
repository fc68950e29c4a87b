"""The file format of MNIST. A reader that trusts nothing: every error names the file and the byte.

An IDX file is two zero bytes, a byte for the type of its numbers (8: unsigned bytes, the only one in MNIST), a byte for
the count of dimensions, each dimension as four bytes, the highest first, and then the numbers. MNIST's magic numbers
0x00000801 (labels) and 0x00000803 (images) are the first four bytes (LeCun, Cortes, Burges: The MNIST database).
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from lessons.errors import LessonError, looking_into

UNSIGNED_BYTE = 8
_GZIP_MAGIC = b"\x1f\x8b"


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """The array of unsigned bytes in an IDX file, plain or gzip-compressed whatever its name says.

    Raises:
        LessonError: the file cannot be read, is not IDX with that many dimensions, or is too short or too long.
    """
    content = _content(path)
    if len(content) < 4:
        raise LessonError(f"{path}: ends at byte {len(content)}, within the magic number of 4 bytes")
    expected = bytes((0, 0, UNSIGNED_BYTE, dimensions))
    for offset, (found, wanted) in enumerate(zip(content[:4], expected, strict=True)):
        if found != wanted:
            raise LessonError(f"{path}: byte {offset} is {found:#04x}, not {wanted:#04x}: {_MEANINGS[offset]}")
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise LessonError(f"{path}: ends at byte {len(content)}, within the header of {start} bytes")
    shape = struct.unpack(f">{dimensions}I", content[4:start])
    end = start + math.prod(shape)
    if len(content) != end:
        size = " × ".join(map(str, shape))
        raise LessonError(f"{path}: ends at byte {len(content)}, but its header says {size} numbers, up to byte {end}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def read_labels(path: Path, classes: int = 10) -> np.ndarray:
    """The labels in an IDX file of one dimension, each below ``classes``."""
    label_N = read_idx(path, 1)
    wrong = np.flatnonzero(label_N >= classes)
    if wrong.size:
        offset = 8 + int(wrong[0])
        raise LessonError(f"{path}: byte {offset} is the label {label_N[wrong[0]]}; labels go from 0 to {classes - 1}")
    return label_N


_MEANINGS = (
    "IDX files begin with two zero bytes",
    "IDX files begin with two zero bytes",
    "the numbers are not unsigned bytes",
    "the count of dimensions differs: 1 for labels, 3 for images",
)


def _content(path: Path) -> bytes:
    with looking_into(path):
        raw = path.read_bytes()
    if not raw.startswith(_GZIP_MAGIC):
        return raw
    try:
        return gzip.decompress(raw)
    except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
        raise LessonError(f"{path}: the gzip data of {len(raw)} bytes is damaged: {problem}") from None
