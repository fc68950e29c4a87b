"""What the engine asks, in plain values. Secrets are taken off here and put back on by the servicer."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.provider.values import Values


@dataclass(frozen=True)
class Check:
    """Inputs to be validated and given their defaults; ``old_inputs`` is empty for a resource not in the state."""

    urn: str
    type: str
    name: str
    inputs: Values
    old_inputs: Values
    seed: bytes = b""

    def autoname(self, property: str, max_length: int = 255, separator: str = "-") -> str:
        """The name of a resource whose program gave none: kept from ``old_inputs``, else ``<name>-<7 hex digits>``."""
        kept = self.old_inputs.get(property)
        if isinstance(kept, str) and kept:
            return kept
        random = hashlib.sha256(self.seed).hexdigest() if self.seed else secrets.token_hex(8)
        return f"{self.name[: max_length - 8]}{separator}{random[:7]}"


@dataclass(frozen=True)
class Diff:
    """Old inputs and outputs against new inputs; ``ignore`` are property paths that count as unchanged."""

    urn: str
    type: str
    name: str
    id: str
    old_inputs: Values
    old_outputs: Values
    inputs: Values
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True)
class Create:
    """A resource to be made. In a ``preview`` nothing is made, and what is not known yet is UNKNOWN."""

    urn: str
    type: str
    name: str
    inputs: Values
    preview: bool
    timeout_s: float


@dataclass(frozen=True)
class Read:
    """A resource to be looked up: in a refresh with its last ``inputs`` and ``outputs``, else with its ``id`` only."""

    urn: str
    type: str
    name: str
    id: str
    inputs: Values
    outputs: Values


@dataclass(frozen=True)
class Update:
    """A resource to be changed in place."""

    urn: str
    type: str
    name: str
    id: str
    old_inputs: Values
    old_outputs: Values
    inputs: Values
    preview: bool
    timeout_s: float
    ignore: tuple[str, ...] = ()


@dataclass(frozen=True)
class Delete:
    """A resource to be removed; one that is gone already counts as removed."""

    urn: str
    type: str
    name: str
    id: str
    inputs: Values
    outputs: Values
    timeout_s: float


@dataclass(frozen=True)
class Made:
    """What a create made."""

    id: str
    outputs: Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """What a read found: outputs, and the inputs that would make it so."""

    id: str
    outputs: Mapping[str, Any]
    inputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
