"""The local AWS provider: one mapping table a service, one way of living for every type."""

from __future__ import annotations

__all__ = ["fidelity"]


def fidelity(type_token: str) -> str:
    """How real a type is on one machine: ``realised``, ``emulated`` or ``recorded``. Raises KeyError."""
    from local.aws.tables import TYPES

    return TYPES[type_token].fidelity
