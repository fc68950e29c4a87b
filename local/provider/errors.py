"""How a provider fails: sentences for the user, and what the engine must keep nevertheless."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf import any_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from local.provider.values import to_struct


class ProviderError(Exception):
    """An operation failed; the message says what, where, why and what to do. ``reasons`` are further lines."""

    def __init__(self, message: str, reasons: Iterable[str] = ()) -> None:
        self.reasons = tuple(reasons)
        super().__init__("\n".join([message, *(f"  {reason}" for reason in self.reasons)]))


class InitFailed(ProviderError):
    """Something was created or updated, and did not come up: the engine keeps it in the state with its reasons.

    ``properties`` are its outputs as far as they are known.
    """

    def __init__(
        self,
        message: str,
        id: str,
        properties: Mapping[str, Any],
        reasons: Iterable[str],
        inputs: Mapping[str, Any] | None = None,
    ) -> None:
        self.id, self.properties, self.inputs = id, dict(properties), inputs
        self.message = message
        super().__init__(message, reasons)


@dataclass(frozen=True)
class Failure:
    """One input that cannot be: its property path and the reason."""

    property: str
    reason: str


class CheckFailed(Exception):
    """The inputs of a resource cannot be."""

    def __init__(self, *failures: Failure) -> None:
        self.failures = failures
        super().__init__("; ".join(f"{failure.property}: {failure.reason}" for failure in failures))


class _Status(grpc.Status):
    """A status with details, as ``abort_with_status`` takes it."""

    def __init__(self, details: str, trailing: bytes) -> None:
        self.code = grpc.StatusCode.UNKNOWN
        self.details = details
        self.trailing_metadata = (("grpc-status-details-bin", trailing),)


def init_failed_status(error: InitFailed, properties: Mapping[str, Any]) -> grpc.Status:
    """The status by which the engine learns of a half-made resource (``ErrorResourceInitFailed`` in the details)."""
    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.id,
        properties=to_struct(properties),
        reasons=error.reasons,
        inputs=to_struct(error.inputs) if error.inputs is not None else None,
    )
    packed = any_pb2.Any()
    packed.Pack(detail)
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=error.message, details=[packed])
    return _Status(error.message, status.SerializeToString())
