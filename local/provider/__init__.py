"""What every local provider shares: Pulumi's resource provider protocol over gRPC, in terms of plain Python values.

A provider subclasses :class:`LocalProvider` and answers with plain values; this package converts structs, keeps
secrets, unknowns and assets intact, maps errors and serves. The Pulumi CLI reaches a provider through :func:`serve`,
the embedded engine calls the same servicer's methods in its own process.

``pulumi.provider.experimental`` is not used: with SDK 3.272 assets crash its second update, a failing create loses the
half-made resource, ``diff`` receives no old inputs, and a blocking create stalls its neighbours.
"""

from local.provider.errors import CheckFailed, Failure, InitFailed, ProviderError
from local.provider.paths import Change, Changes, compare
from local.provider.requests import Check, Create, Delete, Diff, Found, Made, Read, Update
from local.provider.servicer import LocalProvider
from local.provider.serving import serve
from local.provider.values import UNKNOWN, Asset, Secret, Unknown, Values, from_struct, has_unknown, to_struct

__all__ = [
    "UNKNOWN",
    "Asset",
    "Change",
    "Changes",
    "Check",
    "CheckFailed",
    "Create",
    "Delete",
    "Diff",
    "Failure",
    "Found",
    "InitFailed",
    "LocalProvider",
    "Made",
    "ProviderError",
    "Read",
    "Secret",
    "Unknown",
    "Update",
    "Values",
    "compare",
    "from_struct",
    "has_unknown",
    "serve",
    "to_struct",
]
