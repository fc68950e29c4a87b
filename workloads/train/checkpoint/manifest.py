"""What stands beside a checkpoint's arrays: where in a training it was made, and what must be in them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from train.checkpoint.arrays import Damaged, Entry


@dataclass(frozen=True)
class Mark:
    """Where in a training a checkpoint is made.

    Attributes:
        cursor: the sequences drawn.
        next_batch: digest of the tokens that are to come next.
        topology: what it was trained on.
    """

    step: int
    cursor: int
    next_batch: str = ""
    topology: str = ""


@dataclass(frozen=True)
class Manifest(Mark):
    """What a checkpoint must hold. ``training`` is its settings' digest."""

    training: str = ""
    entries: tuple[Entry, ...] = ()

    def to_json(self) -> bytes:
        """With a digest of its own, for a cursor may be damaged too."""
        values = asdict(self)
        return json.dumps({**values, "sha256": _digest(values)}).encode()

    @classmethod
    def read(cls, data: bytes | None, step: int) -> Manifest:
        """Raises :class:`Damaged` where it is not what was written; fields of later releases are left out."""
        try:
            values = json.loads(data or b"")
            expected = values.pop("sha256")
            known = {field.name: values[field.name] for field in fields(cls) if field.name in values}
            manifest = cls(**{**known, "entries": tuple(map(Entry.read, values["entries"]))})
        except (ValueError, TypeError, KeyError, AttributeError):
            raise Damaged("its manifest cannot be read") from None
        if _digest(values) != expected:
            raise Damaged("its manifest's digest differs")
        if manifest.step != step:
            raise Damaged(f"its manifest is of step {manifest.step}")
        return manifest


def _digest(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
