"""Where checkpoints and verdicts are kept: a bucket, or a folder."""

from __future__ import annotations

import errno
import io
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from train.config.failure import Failure

Data = bytes | Iterable[bytes | memoryview]  # one buffer, or several that follow one another

_TEMPORARY = ".writing-"
_CHUNK_BYTES = 32 << 20


class Store(Protocol):
    """Named bytes under one address."""

    uri: str

    def put(self, name: str, data: Data, content_type: str = "application/octet-stream") -> None:
        """Write all of it or nothing; raises :class:`Failure` where it cannot."""
        ...

    def probe(self, name: str) -> None:
        """Raise :class:`Failure` where it is known already that nothing can be written under that name."""
        ...

    def get(self, name: str) -> bytes | None:
        """The bytes; None where there are none of that name. Raises :class:`Failure` where they cannot be read."""
        ...

    def names(self) -> list[str]:
        """All names, sorted."""
        ...

    def delete(self, name: str) -> None:
        """Remove it; nothing happens where there is none. Raises :class:`Failure` where it cannot."""
        ...

    def sweep(self) -> None:
        """Remove what writers left that were killed."""
        ...


class FolderStore:
    """Files in a folder, which is made when something is first written."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._root = Path(uri.removeprefix("file://"))

    def put(self, name: str, data: Data, content_type: str = "application/octet-stream") -> None:
        """See :meth:`Store.put`."""
        try:
            _make(self._root)
            handle, temporary = tempfile.mkstemp(prefix=_TEMPORARY, dir=self._root)
            try:
                with os.fdopen(handle, "wb", buffering=0) as file:
                    _write_all(file.fileno(), data)
                os.replace(temporary, self._root / name)
                _sync_folder(self._root)
            except BaseException:  # also of whoever makes the data while it is written
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise Failure(f"cannot write {self._root / name}: {error.strerror}") from None

    def probe(self, name: str) -> None:
        """See :meth:`Store.probe`. The folder is made, and a byte written into it that has no name."""
        path = self._root / name
        try:
            _make(self._root)
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            with tempfile.TemporaryFile(prefix=_TEMPORARY, dir=self._root, buffering=0) as file:
                file.write(b"?")
        except OSError as error:
            raise Failure(f"cannot write {path}: {error.strerror}") from None

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
        return sorted(path.name for path in self._root.glob("[!.]*"))

    def delete(self, name: str) -> None:
        """See :meth:`Store.delete`."""
        _remove(self._root / name)

    def sweep(self) -> None:
        """See :meth:`Store.sweep`."""
        for path in self._root.glob(f"{_TEMPORARY}*"):
            _remove(path)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:  # as the system calls a file in its place
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise Failure(f"cannot delete {path}: {error.strerror}") from None


def _write_all(file: int, data: Data) -> None:
    """Write and flush at once: a disk that has begun when the last byte comes is done soon after it."""
    with ThreadPoolExecutor(1) as beside:
        flushes: list[Future[None]] = []
        for chunk in _chunks(data):
            written = 0
            while written < len(chunk):
                written += os.write(file, chunk[written:])
            if written == _CHUNK_BYTES:
                flushes.append(beside.submit(os.fdatasync, file))
        for flush in flushes:
            flush.result()
    os.fsync(file)


def _chunks(data: Data) -> Iterator[memoryview]:
    for buffer in [data] if isinstance(data, bytes) else data:
        view = memoryview(buffer)
        for begin in range(0, len(view), _CHUNK_BYTES):
            yield view[begin : begin + _CHUNK_BYTES]


def _sync_folder(folder: Path) -> None:
    """A name is on the disk only when its folder is."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class BucketStore:
    """Objects under a prefix of an S3 bucket; the endpoint and credentials come from the environment."""

    def __init__(self, uri: str) -> None:
        import boto3  # takes half a second, and only those with a bucket need it
        from botocore.config import Config

        parts = urlsplit(uri)
        self.uri, self._bucket, self._prefix = uri, parts.netloc, parts.path.strip("/")
        # A custom endpoint has no DNS name for each bucket.
        style = {"addressing_style": "path"} if os.environ.get("AWS_ENDPOINT_URL") else {}
        config = Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 3, "mode": "standard"}, s3=style)
        self._client = self._call("open", lambda: boto3.client("s3", config=config))

    def put(self, name: str, data: Data, content_type: str = "application/octet-stream") -> None:
        """See :meth:`Store.put`. In parts, several at once, where it is large; S3 compares a checksum of each."""
        key, body = self._key(name), data if isinstance(data, bytes) else b"".join(data)
        put = self._client.put_object
        if len(body) <= _CHUNK_BYTES:
            self._call("write", lambda: put(Bucket=self._bucket, Key=key, Body=body, ContentType=content_type))
            return
        upload = self._client.upload_fileobj
        extra = {"ContentType": content_type}
        self._call("write", lambda: upload(io.BytesIO(body), self._bucket, key, ExtraArgs=extra))

    def probe(self, name: str) -> None:
        """See :meth:`Store.probe`. Who may put one object may often not remove it, so nothing is put to try."""

    def get(self, name: str) -> bytes | None:
        """See :meth:`Store.get`."""
        read = self._client.get_object
        return self._call("read", lambda: read(Bucket=self._bucket, Key=self._key(name))["Body"].read())

    def names(self) -> list[str]:
        """See :meth:`Store.names`."""
        pages = self._client.get_paginator("list_objects_v2")
        prefix = self._key("")
        found = self._call("list", lambda: list(pages.paginate(Bucket=self._bucket, Prefix=prefix))) or []
        return sorted(item["Key"].removeprefix(prefix) for page in found for item in page.get("Contents", []))

    def delete(self, name: str) -> None:
        """See :meth:`Store.delete`."""
        self._call("delete", lambda: self._client.delete_object(Bucket=self._bucket, Key=self._key(name)))

    def sweep(self) -> None:
        """See :meth:`Store.sweep`. Parts of uploads that never ended are no objects: the bucket's rule removes them."""

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name

    def _call(self, verb: str, action: Callable[[], Any]) -> Any:
        """None for a missing key; every other refusal is a :class:`Failure` with S3's own code."""
        from boto3.exceptions import S3UploadFailedError
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return action()
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "unknown")
            if code == "NoSuchKey":
                return None
            raise Failure(f"cannot {verb} {self.uri}: S3 answered {code}") from None
        except S3UploadFailedError as error:
            raise Failure(f"cannot {verb} {self.uri}: {error}") from None
        except (BotoCoreError, ValueError) as error:
            where = os.environ.get("AWS_ENDPOINT_URL", "S3")
            raise Failure(f"cannot {verb} {self.uri} at {where}: {type(error).__name__}") from None


def open_store(uri: str) -> Store:
    """The store of an address: ``s3://bucket/prefix``, ``file://…`` or a folder."""
    scheme = urlsplit(uri).scheme
    if scheme == "s3":
        if not urlsplit(uri).netloc:
            raise Failure(f"{uri} names no bucket: give s3://bucket/prefix")
        return BucketStore(uri)
    if scheme not in ("", "file"):
        raise Failure(f"{uri} is neither s3://bucket/prefix nor a folder")
    return FolderStore(uri)


def split_uri(uri: str) -> tuple[Store, str]:
    """The store and the name in it of a single object's address."""
    parent, slash, name = uri.rpartition("/")
    if not name or (urlsplit(uri).scheme and not urlsplit(uri).path.strip("/")):
        raise Failure(f"{uri} names no file: give s3://bucket/key or a path")
    return open_store(parent or slash or "."), name
