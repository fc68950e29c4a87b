"""Checkpoints in a bucket or a folder: every byte is checked when it comes back.

``step_00000060.npz`` holds the arrays, ``step_00000060.json`` says what must be in it (digest, size, cursor), and
``latest.json`` names the newest complete step. They are written in this order, each atomically, so a writer that is
killed leaves the previous checkpoint in force. A damaged one is passed over for the one before it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import jax
import numpy as np

from train.config import Failure

LATEST = "latest.json"


class Store(Protocol):
    """Named bytes under one address."""

    uri: str

    def put(self, name: str, data: bytes, content_type: str = "application/octet-stream") -> None: ...
    def get(self, name: str) -> bytes | None: ...
    def names(self) -> list[str]: ...
    def delete(self, name: str) -> None: ...


class FolderStore:
    """Files in a folder, which is made when something is first written."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self._root = Path(uri.removeprefix("file://"))

    def put(self, name: str, data: bytes, content_type: str = "application/octet-stream") -> None:
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(prefix=".", dir=self._root)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self._root / name)
        except OSError as error:
            raise Failure(f"cannot write {self._root / name}: {error.strerror}") from None

    def get(self, name: str) -> bytes | None:
        try:
            return (self._root / name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Failure(f"cannot read {self._root / name}: {error.strerror}") from None

    def names(self) -> list[str]:
        return sorted(path.name for path in self._root.iterdir()) if self._root.is_dir() else []

    def delete(self, name: str) -> None:
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
        key = self._key(name)
        put = self._client.put_object
        self._call("write", lambda: put(Bucket=self._bucket, Key=key, Body=data, ContentType=content_type))

    def get(self, name: str) -> bytes | None:
        read = self._client.get_object
        return self._call("read", lambda: read(Bucket=self._bucket, Key=self._key(name))["Body"].read())

    def names(self) -> list[str]:
        pages = self._client.get_paginator("list_objects_v2")
        prefix = self._key("")
        found = self._call("list", lambda: list(pages.paginate(Bucket=self._bucket, Prefix=prefix))) or []
        return sorted(item["Key"].removeprefix(prefix) for page in found for item in page.get("Contents", []))

    def delete(self, name: str) -> None:
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


@dataclass(frozen=True)
class Manifest:
    """What a checkpoint must hold."""

    step: int
    cursor: int
    loss_first: float
    training: str
    sha256: str = ""
    size_bytes: int = 0


class Damaged(Exception):
    """A checkpoint that is not what was written."""


class Checkpoints:
    """The checkpoints of one training under one address."""

    def __init__(self, store: Store, keep: int, say: Callable[[str], None]) -> None:
        self._store, self._keep, self._say = store, keep, say

    def save(self, manifest: Manifest, tree: Any) -> str:
        """Write, read back, and only then make it the latest; returns its address."""
        data = pack(tree)
        sealed = Manifest(**{**asdict(manifest), "sha256": digest(data), "size_bytes": len(data)})
        text = json.dumps(asdict(sealed)).encode()
        self._store.put(_name(manifest.step, "npz"), data)
        self._store.put(_name(manifest.step, "json"), text, "application/json")
        try:
            self._bytes(sealed)
        except Damaged as error:
            raise Failure(f"the checkpoint of step {manifest.step} came back different: {error}") from None
        self._store.put(LATEST, json.dumps({"step": manifest.step}).encode(), "application/json")
        self._drop_old(manifest.step)
        return f"{self._store.uri.rstrip('/')}/{_name(manifest.step, 'npz')}"

    def restore(self, like: Any, training: str) -> tuple[Manifest, Any] | None:
        """The newest undamaged checkpoint of this training as host arrays shaped like ``like``, or None."""
        for step in self._candidates():
            try:
                manifest = self._manifest(step)
                if manifest.training != training:
                    raise Failure(
                        f"{self._store.uri} holds a checkpoint of another training (other text, model, seed or "
                        "schedule): give another checkpoint_uri or empty this one"
                    )
                return manifest, unpack(self._bytes(manifest), like)
            except Damaged as error:
                self._say(f"checkpoint of step {step} is damaged ({error}): trying the one before")
        return None

    def _candidates(self) -> list[int]:
        """Steps to try, newest first: nothing above the latest, for that is from an older run or half written."""
        steps = sorted((int(n[5:13]) for n in self._store.names() if _is_manifest(n)), reverse=True)
        pointer = self._store.get(LATEST)
        if pointer is None:
            return steps
        try:
            latest = int(json.loads(pointer)["step"])
        except (ValueError, KeyError, TypeError):
            self._say(f"{LATEST} is damaged: trying every checkpoint, newest first")
            return steps
        return [step for step in steps if step <= latest]

    def _manifest(self, step: int) -> Manifest:
        try:
            manifest = Manifest(**json.loads(self._store.get(_name(step, "json")) or b""))
        except (ValueError, TypeError):
            raise Damaged("its manifest cannot be read") from None
        if manifest.step != step:
            raise Damaged(f"its manifest is of step {manifest.step}")
        return manifest

    def _bytes(self, manifest: Manifest) -> bytes:
        data = self._store.get(_name(manifest.step, "npz"))
        if data is None:
            raise Damaged("its arrays are missing")
        if len(data) != manifest.size_bytes:
            raise Damaged(f"{len(data)} bytes, not {manifest.size_bytes}")
        if digest(data) != manifest.sha256:
            raise Damaged("its digest differs")
        return data

    def _drop_old(self, newest: int) -> None:
        steps = sorted(int(n[5:13]) for n in self._store.names() if _is_manifest(n))
        for step in [step for step in steps if step <= newest][: -self._keep]:
            self._store.delete(_name(step, "json"))
            self._store.delete(_name(step, "npz"))


def _name(step: int, kind: str) -> str:
    return f"step_{step:08d}.{kind}"


def _is_manifest(name: str) -> bool:
    return len(name) == 18 and name.startswith("step_") and name.endswith(".json") and name[5:13].isdigit()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def pack(tree: Any) -> bytes:
    """All arrays of a tree, named by their path, as one npz."""
    leaves = {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}
    buffer = io.BytesIO()
    np.savez(buffer, **leaves)  # type: ignore[arg-type]  # numpy's stub takes the names for options
    return buffer.getvalue()


def unpack(data: bytes, like: Any) -> Any:
    """The tree that :func:`pack` wrote, in the structure of ``like``; raises :class:`Damaged` where it does not fit."""
    paths, structure = jax.tree_util.tree_flatten_with_path(like)
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            leaves = [arrays[jax.tree_util.keystr(path)] for path, _ in paths]
    except (ValueError, KeyError, OSError, zipfile.BadZipFile):
        raise Damaged("its arrays cannot be read") from None
    for (path, wanted), leaf in zip(paths, leaves, strict=True):
        if leaf.shape != wanted.shape or leaf.dtype != wanted.dtype:
            raise Damaged(f"{jax.tree_util.keystr(path)} is {leaf.dtype}{leaf.shape}")
    return jax.tree_util.tree_unflatten(structure, leaves)
