"""A stream of bytes cut into documents: unpacked, by lines or whole, and never more in memory than one may be long."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from etl.config import Failure

PACKED = (".gz", ".zst")
_BIT = 1 << 10  # packed bytes at a time, of which zstd makes up to 32 MiB: four of them can stand for 128 KiB


def unpacked(chunks: Iterator[bytes], uri: str) -> Iterator[bytes]:
    """The bytes that a file holds, by the ending of its name."""
    if uri.endswith(".gz"):
        return _inflated(chunks, lambda: zlib.decompressobj(wbits=31), uri)
    if uri.endswith(".zst"):
        import zstandard  # only those with such files need it

        return _inflated(chunks, lambda: zstandard.ZstdDecompressor().decompressobj(), uri)
    return chunks


def _inflated(chunks: Iterable[bytes], make: Callable[[], Any], uri: str) -> Iterator[bytes]:
    """The bytes of one packed stream after another; what ends in the middle of one is damage, and not an end."""
    stream: Any = None
    padded = False  # zeros may follow a stream, as tapes and disks leave them, and nothing else that is none
    try:
        for rest in _bits(chunks):
            while rest := rest.lstrip(b"\0") if padded else rest:
                stream, padded = stream or make(), False
                yield stream.decompress(rest)
                rest = stream.unused_data if stream.eof else b""
                if stream.eof:
                    stream, padded = None, True
    except Exception as error:  # zlib.error, or zstandard's own where it is there
        if not (isinstance(error, zlib.error) or type(error).__name__ == "ZstdError"):
            raise
        raise Failure(f"source {uri} is damaged ({error}): bring a whole one, or take it out of sources") from None
    if stream is not None:
        raise Failure(f"source {uri} ends too early: bring a whole one, or take it out of sources")


def _bits(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        for start in range(0, len(chunk), _BIT):
            yield chunk[start : start + _BIT]


def whole(chunks: Iterable[bytes], limit: int) -> bytes | None:
    """All of it; None where it is longer than ``limit``, after reading on to the end without keeping it."""
    parts, size = [], 0
    for chunk in chunks:
        size += len(chunk)
        if size <= limit:
            parts.append(chunk)
    return b"".join(parts) if size <= limit else None


def lines(chunks: Iterable[bytes], limit: int) -> Iterator[bytes | None]:
    """The lines without their ends; None for one longer than ``limit``, of which no more than that is kept."""
    rest, too_long = b"", False
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        if not too_long:
            rest += first
            too_long = len(rest) > limit
        for line in others:
            yield None if too_long else rest
            rest, too_long = line, len(line) > limit
        if too_long:
            rest = b""
    if rest or too_long:
        yield None if too_long else rest
