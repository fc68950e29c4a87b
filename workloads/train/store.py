"""Where checkpoints and verdicts are kept: a bucket, or a folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from train.config import Failure


class Store(Protocol):
    """Named bytes under one address."""

    uri: str

    def put(self, name: str, data: bytes, content_type: str = "application/octet-stream") -> None:
        """Write all of it or nothing; raises :class:`Failure` where it cannot."""
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


class FolderStore:
    """Files in a folder, which is made when something is first written."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._root = Path(uri.removeprefix("file://"))

    def put(self, name: str, data: bytes, content_type: str = "application/octet-stream") -> None:
        """See :meth:`Store.put`."""
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=".", dir=self._root)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                os.replace(temporary, self._root / name)
            except OSError:
                Path(temporary).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise Failure(f"cannot write {self._root / name}: {error.strerror}") from None

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
        return sorted(path.name for path in self._root.glob("[!.]*"))  # a dot: a write that was killed

    def delete(self, name: str) -> None:
        """See :meth:`Store.delete`."""
        (self._root / name).unlink(missing_ok=True)


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

    def put(self, name: str, data: bytes, content_type: str = "application/octet-stream") -> None:
        """See :meth:`Store.put`."""
        key = self._key(name)
        put = self._client.put_object
        self._call("write", lambda: put(Bucket=self._bucket, Key=key, Body=data, ContentType=content_type))

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

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name

    def _call(self, verb: str, action: Callable[[], Any]) -> Any:
        """None for a missing key; every other refusal is a :class:`Failure` with S3's own code."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return action()
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "unknown")
            if code == "NoSuchKey":
                return None
            raise Failure(f"cannot {verb} {self.uri}: S3 answered {code}") from None
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
