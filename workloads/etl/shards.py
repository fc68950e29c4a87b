"""The file that training reads: a header, the tokens, where documents begin, and a checksum for every 64 KiB.

All numbers are little-endian.

=============  ===============================================================================
64 bytes       header: magic ``TOKSHARD``, version, bytes a token (2 or 4), number of the shard,
               vocabulary (4 bytes each), tokens, documents that begin here (8 bytes each), zeros
tokens         ids; each document is followed by the end-of-text token, and may go on in the next shard
padding        zeros, up to a multiple of 8
beginnings     8 bytes for each document: the token of this shard at which it begins
checksums      4 bytes for each 64 KiB of all before: CRC-32, so that damage can be named by place
=============  ===============================================================================

The SHA-256 of the whole file is in the manifest.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MAGIC, VERSION = b"TOKSHARD", 1
HEADER = struct.Struct("<8sIIIIQQ24x")
BLOCK = 64 << 10


class Damaged(Exception):
    """The bytes are not what was written; says where."""


@dataclass(frozen=True)
class Shard:
    """The content of one file. ``beginnings`` are positions in ``tokens``."""

    number: int
    vocabulary: int
    tokens: np.ndarray
    beginnings: np.ndarray


def name_of(number: int) -> str:
    """``tokens-00000.bin`` and so on; the order of names is that of numbers up to 99,999."""
    return f"tokens-{number:05}.bin"


def pack(number: int, vocabulary: int, tokens: np.ndarray, beginnings: Sequence[int]) -> bytes:
    """The file's bytes."""
    header = HEADER.pack(MAGIC, VERSION, tokens.itemsize, number, vocabulary, len(tokens), len(beginnings))
    data = tokens.astype(tokens.dtype.newbyteorder("<")).tobytes()
    body = header + data + bytes(-len(data) % 8) + np.array(beginnings, "<u8").tobytes()
    return body + _checksums(body)


def unpack(data: bytes) -> Shard:
    """Read a file back; raises :class:`Damaged` for one that is cut, changed or something else."""
    if len(data) < HEADER.size or not data.startswith(MAGIC):
        raise Damaged(f"no shard: it does not begin with {MAGIC.decode()} (offset 0)")
    _, version, itemsize, number, vocabulary, count, documents = HEADER.unpack_from(data)
    if version != VERSION or itemsize not in (2, 4):
        raise Damaged(f"the header tells version {version} and {itemsize} bytes a token (offset 8)")
    start = HEADER.size + count * itemsize
    start += -start % 8
    end = start + 8 * documents
    if len(data) != end + 4 * -(-end // BLOCK):
        raise Damaged(f"{len(data)} bytes, and its header tells of {end + 4 * -(-end // BLOCK)} (offset {len(data)})")
    find_damage(data, end)
    tokens = np.frombuffer(data, f"<u{itemsize}", count, HEADER.size)
    return Shard(number, vocabulary, tokens, np.frombuffer(data, "<u8", documents, start))


def find_damage(data: bytes, end: int) -> None:
    """Raise :class:`Damaged` with the first block whose checksum differs."""
    stored = np.frombuffer(data, "<u4", offset=end)
    for block, (was, now) in enumerate(zip(stored, np.frombuffer(_checksums(data[:end]), "<u4"), strict=True)):
        if was != now:
            last = min((block + 1) * BLOCK, end) - 1
            raise Damaged(f"damaged between offsets {block * BLOCK} and {last}, or in its checksum at the end")


def _checksums(body: bytes) -> bytes:
    view = memoryview(body)
    found = [zlib.crc32(view[start : start + BLOCK]) for start in range(0, len(body), BLOCK)]
    return np.array(found, "<u4").tobytes()


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
