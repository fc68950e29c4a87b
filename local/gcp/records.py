"""What was declared of Google Cloud, kept as files of the data root: written whole or not at all."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import quote

from local.files import write_atomically
from local.paths import DataRoot
from local.provider import Values


@dataclass(frozen=True)
class Record:
    """One resource: whose it is, what was asked for, and what became of it."""

    urn: str
    inputs: Values
    outputs: Values


def write(root: DataRoot, token: str, id: str, record: Record) -> None:
    """Keep a resource, as it is."""
    write_atomically(_file(root, token, id), json.dumps(asdict(record), indent=1, sort_keys=True) + "\n")


def read(root: DataRoot, token: str, id: str) -> Record | None:
    """The resource; None where there is none."""
    try:
        return Record(**json.loads(_file(root, token, id).read_text()))
    except FileNotFoundError:
        return None


def remove(root: DataRoot, token: str, id: str) -> None:
    """Forget it; fine where it is gone."""
    _file(root, token, id).unlink(missing_ok=True)


def _file(root: DataRoot, token: str, id: str) -> Path:
    return root.recorded / "gcp" / token.rsplit(":", 1)[1] / f"{quote(id, safe='')}.json"
