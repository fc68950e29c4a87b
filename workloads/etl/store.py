"""Where shards are kept: a folder or a bucket; and S3's refusals as sentences."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path, PurePath, PurePosixPath
from typing import Protocol
from urllib.parse import urlsplit

from etl.config import AGAIN, Failure
from etl.manifest import OWN
from etl.s3 import NoSuchKey, s3_client, s3_refusals, split_bucket

_TEMPORARY = ".tmp-"  # before the name of a file that is being written


class Store(Protocol):
    """Named bytes under one address."""

    uri: str

    def put(self, name: str, data: bytes) -> None:
        """Write all of it, durably, or nothing; raises :class:`Failure` where it cannot."""
        ...

    def get(self, name: str) -> bytes | None:
        """The bytes; None where there are none of that name. Raises :class:`Failure` where they cannot be read."""
        ...

    def names(self) -> list[str]:
        """All names, sorted."""
        ...

    def delete(self, name: str) -> None:
        """Remove it; nothing happens where there is none."""
        ...

    def held(self) -> contextlib.AbstractContextManager[None]:
        """Keep other runs on this machine out of a folder. A bucket has no such lock."""
        ...


class FolderStore:
    """Files in a folder, which is made when something is first written."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._root = Path(uri.removeprefix("file://"))

    def put(self, name: str, data: bytes) -> None:
        """See :meth:`Store.put`."""
        target, temporary = self._root / name, self._root / f"{_TEMPORARY}{name}"
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            try:
                with open(temporary, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(temporary, target)
            except OSError:
                temporary.unlink(missing_ok=True)
                raise
            _sync_folder(self._root)
        except OSError as error:
            raise Failure(f"cannot write {target}: {error.strerror}: make room or give rights, {AGAIN}") from None

    def get(self, name: str) -> bytes | None:
        """See :meth:`Store.get`."""
        try:
            return (self._root / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Failure(f"cannot read {self._root / name}: {error.strerror}") from None

    def names(self) -> list[str]:
        """See :meth:`Store.names`."""
        try:
            return sorted(path.name for path in self._root.iterdir() if not path.name.startswith("."))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise Failure(f"cannot list {self._root}: {error.strerror}: output must be a folder of its own") from None

    def delete(self, name: str) -> None:
        """See :meth:`Store.delete`."""
        (self._root / name).unlink(missing_ok=True)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """See :meth:`Store.held`; what killed writes left is removed."""
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            lock = open(self._root / ".lock", "a")  # noqa: SIM115 (it is held until the run ends)
        except OSError as error:
            raise Failure(f"cannot write to {self._root}: {error.strerror}: give a folder that is yours") from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Failure(f"another run is writing to {self._root}: wait for it, or end it") from None
            for path in self._root.glob(f"{_TEMPORARY}*"):
                if OWN.fullmatch(path.name.removeprefix(_TEMPORARY)):
                    path.unlink(missing_ok=True)
            yield


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)  # else a crash may forget the rename, though not the bytes
    finally:
        os.close(handle)


class BucketStore:
    """Objects under a prefix of an S3 bucket."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._bucket, self._prefix = split_bucket(uri)
        with s3_refusals("open", uri):
            self._client = s3_client()

    def put(self, name: str, data: bytes) -> None:
        """See :meth:`Store.put`; S3 compares the bytes that it got with their SHA-256."""
        checksum = base64.b64encode(hashlib.sha256(data).digest()).decode()
        with s3_refusals("write", f"{self.uri.rstrip('/')}/{name}"):
            self._client.put_object(Bucket=self._bucket, Key=self._key(name), Body=data, ChecksumSHA256=checksum)

    def get(self, name: str) -> bytes | None:
        """See :meth:`Store.get`."""
        try:
            with s3_refusals("read", f"{self.uri.rstrip('/')}/{name}"):
                return self._client.get_object(Bucket=self._bucket, Key=self._key(name))["Body"].read()
        except NoSuchKey:
            return None

    def names(self) -> list[str]:
        """See :meth:`Store.names`."""
        prefix = self._key("")
        with s3_refusals("list", self.uri):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
            return sorted(item["Key"].removeprefix(prefix) for page in pages for item in page.get("Contents", []))

    def delete(self, name: str) -> None:
        """See :meth:`Store.delete`."""
        with s3_refusals("delete", self.uri):
            self._client.delete_object(Bucket=self._bucket, Key=self._key(name))

    def held(self) -> contextlib.AbstractContextManager[None]:
        """See :meth:`Store.held`."""
        return contextlib.nullcontext()

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name


def open_store(uri: str) -> Store:
    """The store of an address: ``s3://bucket/prefix``, ``file://…`` or a folder."""
    scheme = urlsplit(uri).scheme
    if scheme not in ("", "file", "s3"):
        raise Failure(f"{uri} is neither s3://bucket/prefix nor a folder")
    return BucketStore(uri) if scheme == "s3" else FolderStore(uri)


def open_file(uri: str) -> tuple[Store, str]:
    """The store that a file of this address is in, and its name there."""
    parent, slash, name = uri.removeprefix("file://").rpartition("/")
    return open_store(parent or slash or "."), name


def lies_in(uri: str, folder: str) -> bool:
    """Whether an address is that of a folder or prefix, or of something below it."""
    (scheme, place), (other, outer) = _place(uri), _place(folder)
    return scheme == other and place.is_relative_to(outer)


def _place(uri: str) -> tuple[str, PurePath]:
    if urlsplit(uri).scheme == "s3":
        return "s3", PurePosixPath(*split_bucket(uri))
    return "", Path(uri.removeprefix("file://")).resolve()
