"""The local Google Cloud provider: a real control plane and nodes for GKE, typed records for all else.

Google publishes no emulator of these services and no model of their requests that a package here carries: what is not
realised is checked against the types of the SDK, property by property, and called ``typed only``.
"""

from __future__ import annotations

__all__ = ["fidelity"]


def fidelity(type_token: str) -> str:
    """How real a type is on one machine: ``realised`` or ``typed only``.

    Raises:
        KeyError: there is no such type here.
    """
    from local.gcp.tables import TYPES

    return TYPES[type_token].fidelity
