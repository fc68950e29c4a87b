"""Raw documents from files, folders and buckets: in a fixed order, streamed, with the digest of what was read."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from etl.config import AGAIN, EtlConfig, Failure
from etl.pieces import PACKED, lines, unpacked, whole
from etl.s3 import s3_client, s3_refusals, split_bucket

CHUNK = 64 << 10  # bytes at a time


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file or object; ``version`` changes when its bytes do (time of change, or ETag)."""

    uri: str
    size: int
    version: str
    jsonl: bool


class Record(NamedTuple):
    """One raw document: the ``number``-th of its file, from 0. ``data`` is None where it is longer than allowed."""

    file: int
    number: int
    jsonl: bool
    data: bytes | None


@dataclass(frozen=True)
class Inventory:
    """What there is to read, in the order in which it is read, and how many are left out for each ending of a name."""

    files: tuple[SourceFile, ...]
    ignored: dict[str, int]


def take_inventory(config: EtlConfig) -> Inventory:
    """List all sources; raises :class:`Failure` for one that is not there and where nothing is left to read."""
    files: list[SourceFile] = []
    ignored: dict[str, int] = {}
    for source in config.sources:
        scheme = urlsplit(source).scheme
        if scheme not in ("", "file", "s3"):
            raise Failure(f"source {source} is neither s3://bucket/prefix nor a file or folder")
        for uri, size, version in _list_bucket(source) if scheme == "s3" else _list_folder(source):
            jsonl = _is_jsonl(uri, config)
            if jsonl is None:
                ending = Path(uri).suffix or "no ending"
                ignored[ending] = ignored.get(ending, 0) + 1
            else:
                files.append(SourceFile(uri, size, version, jsonl))
    if not files:
        wanted = ", ".join((*config.text_suffixes, *config.jsonl_suffixes))
        raise Failure(
            f"{', '.join(config.sources)}: no file ends in {wanted} (or these with .gz, .zst), of "
            f"{sum(ignored.values())} that are there: name their ending in text_suffixes or jsonl_suffixes"
        )
    return Inventory(tuple(files), ignored)


def _is_jsonl(uri: str, config: EtlConfig) -> bool | None:
    name = uri.rpartition("/")[2]
    for packed in PACKED:
        name = name.removesuffix(packed)
    if name.startswith("."):
        return None
    if name.endswith(config.jsonl_suffixes):
        return True
    return False if name.endswith(config.text_suffixes) else None


def _list_folder(source: str) -> list[tuple[str, int, str]]:
    root = Path(source.removeprefix("file://"))
    try:
        if not root.is_dir():
            return [_described(root)]
        found: list[Path] = []
        for folder, folders, names in os.walk(root, onerror=_raise):
            found += [Path(folder) / name for name in names]
            for name in folders:
                _refuse_link(Path(folder) / name, root)
        # A link that leads nowhere is an error; sockets and the like hold no text.
        found = [path for path in found if path.is_file() or path.is_symlink()]
        return [_described(path) for path in sorted(found, key=lambda path: path.as_posix())]
    except OSError as error:
        raise Failure(
            f"cannot read source {error.filename or root}: {error.strerror}: correct sources, or its rights"
        ) from None


def _refuse_link(folder: Path, root: Path) -> None:
    """To follow it could read a folder twice, or without end; to pass it by would leave texts out in silence."""
    if folder.is_symlink():
        raise Failure(
            f"source {root} holds the link {folder} to a folder, and links to folders are not followed: take it out, "
            "or list the folders to read in sources, also the one that it leads to"
        )


def _raise(error: OSError) -> None:
    raise error


def _described(path: Path) -> tuple[str, int, str]:
    status = path.stat()
    return str(path), status.st_size, str(status.st_mtime_ns)


def _list_bucket(source: str) -> list[tuple[str, int, str]]:
    bucket, prefix = split_bucket(source)
    with s3_refusals("list source", source):
        pages = s3_client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        found = [
            (f"s3://{bucket}/{item['Key']}", item["Size"], item["ETag"].strip('"'))
            for page in pages
            for item in page.get("Contents", [])
            if not item["Key"].endswith("/") and _lies_under(item["Key"], prefix)
        ]
    if not found:
        raise Failure(f"source {source} holds no object: correct sources")
    return sorted(found)


def _lies_under(key: str, prefix: str) -> bool:
    """A prefix ends where a name does: s3://bucket/news is no address of news-old/."""
    return not prefix or key == prefix or key.startswith(f"{prefix}/")


class Reader:
    """Streams the records of an inventory from a position on; ``digests`` has the SHA-256 of each file read whole."""

    def __init__(self, inventory: Inventory, max_document_bytes: int) -> None:
        self.digests: dict[int, str] = {}
        self._files, self._limit = inventory.files, max_document_bytes
        self._s3: Any = None

    def records(self, file: int = 0, number: int = 0) -> Iterator[Record]:
        """All records from the ``number``-th of ``file`` on. A file is read from its start, for its digest."""
        for index in range(file, len(self._files)):
            source = self._files[index]
            chunks = unpacked(self._hashed(source, index), source.uri)
            pieces = lines(chunks, self._limit) if source.jsonl else [whole(chunks, self._limit)]
            for count, data in enumerate(pieces):
                if index > file or count >= number:
                    yield Record(index, count, source.jsonl, data)

    def _hashed(self, source: SourceFile, index: int) -> Iterator[bytes]:
        digest = hashlib.sha256()
        for chunk in self._object(source) if source.uri.startswith("s3://") else _file(source):
            digest.update(chunk)
            yield chunk
        self.digests[index] = digest.hexdigest()

    def _object(self, source: SourceFile) -> Iterator[bytes]:
        bucket, _, key = source.uri.removeprefix("s3://").partition("/")  # a key may begin with a slash
        with s3_refusals("read source", source.uri):
            self._s3 = self._s3 or s3_client()
            body = self._s3.get_object(Bucket=bucket, Key=key, IfMatch=source.version)["Body"]
            yield from body.iter_chunks(CHUNK)


def _file(source: SourceFile) -> Iterator[bytes]:
    try:
        with open(source.uri.removeprefix("file://"), "rb", buffering=0) as file:
            status = os.fstat(file.fileno())
            if (status.st_size, str(status.st_mtime_ns)) != (source.size, source.version):
                raise Failure(f"source {source.uri} changed while the run was going: run it again with --anew")
            while chunk := file.read(CHUNK):
                yield chunk
    except OSError as error:
        raise Failure(f"cannot read source {source.uri}: {error.strerror}: bring it back, {AGAIN}") from None
