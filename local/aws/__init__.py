"""The local AWS provider: one mapping table a service, one way of living for every type."""

from __future__ import annotations

__all__ = ["fidelity"]


def fidelity(type_token: str, machines: bool) -> str:
    """How real a type is on one machine: ``realised``, ``emulated`` or ``recorded``.

    Args:
        machines: whether nodes are machines, which can be configured; processes cannot.

    Raises:
        KeyError: there is no such type here.
    """
    from local.aws.tables import TYPES

    return TYPES[type_token].fidelity_on(machines)
