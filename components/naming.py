"""Names and tags: the same for the same configuration, within what AWS and Kubernetes take."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from .settings import PROJECT, StackConfig

IAM_ROLE_LIMIT = 64  # IAM API reference, CreateRole
NODE_GROUP_LIMIT = 63  # EKS API reference, CreateNodegroup
BUCKET_LIMIT = 63  # S3 guide, bucket naming rules
JOB_LIMIT = 52  # a Job's pods append an index and five letters, and a pod's host name has at most 63
NAME_TAG = f"{PROJECT}:name"  # on everything; names are unique in a region, for the cluster's is
# On machines of that kind, with the data centre's name as its value: an association chooses its targets by one tag.
NODES_TAG, MONITORING_TAG = f"{PROJECT}:nodes", f"{PROJECT}:monitoring"
_DIGEST_LENGTH = 8


def fit(*parts: str, limit: int) -> str:
    """The parts joined by dashes, shortened to ``limit`` characters with a digest that keeps different names apart."""
    name = "-".join(parts)
    if len(name) <= limit:
        return name
    kept = name[: limit - _DIGEST_LENGTH - 1].rstrip("-.")
    return f"{kept}-{digest(name)[:_DIGEST_LENGTH]}"


def digest(text: str) -> str:
    """SHA-256 of the text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def folder_digest(folder: Path, only: Collection[str]) -> str:
    """SHA-256 over the names and bytes of the files in a folder that are, or are in, one of ``only``.

    What Python and tools leave behind (caches, hidden files) does not count, nor do times, owners and the order of
    the file system: the same sources have the same digest on every machine.
    """
    total = hashlib.sha256()
    for path in sorted(_sources(folder, only), key=lambda p: p.relative_to(folder).as_posix()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return total.hexdigest()


def _sources(folder: Path, only: Collection[str]) -> Iterator[Path]:
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
        if path.is_file() and parts[0] in only and not hidden and path.suffix not in (".pyc", ".pyo"):
            yield path


def default_tags(config: StackConfig, stack: str) -> dict[str, str]:
    """Tags of everything: the stack file's, and whose this is."""
    return {**config.tags, NAME_TAG: config.name, f"{PROJECT}:stack": stack}


def partition(region: str) -> str:
    """The partition that a region is in, which its ARNs begin with (IAM guide, Amazon Resource Names)."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def managed_policy_arn(name: str, region: str) -> str:
    """The ARN of a policy that AWS itself maintains."""
    return f"arn:{partition(region)}:iam::aws:policy/{name}"


def component_type(component: type[Any]) -> str:
    """The type token of a component class, a contract: URNs hold it."""
    return f"{PROJECT}:index:{component.__name__}"
