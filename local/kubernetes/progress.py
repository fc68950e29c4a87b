"""What happens while objects are awaited, told to whoever runs the provider."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import grpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

Log = Callable[[str, str, str], None]
"""Takes a URN, a severity (``debug``, ``info``, ``warning``, ``error``) and a message."""

_SEVERITIES = {
    "debug": engine_pb2.DEBUG,
    "info": engine_pb2.INFO,
    "warning": engine_pb2.WARNING,
    "error": engine_pb2.ERROR,
}
_TIMEOUT_S = 5.0


def to_engine(address: str) -> Log:
    """A log that goes to the Pulumi CLI's engine at ``address``. An engine that does not listen stops no operation."""
    engine = engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))

    def log(urn: str, severity: str, message: str) -> None:
        request = engine_pb2.LogRequest(
            severity=_SEVERITIES[severity], message=message, urn=urn, ephemeral=severity == "info"
        )
        with contextlib.suppress(grpc.RpcError):
            engine.Log(request, timeout=_TIMEOUT_S)

    return log


def nowhere(urn: str, severity: str, message: str) -> None:
    """A log that nobody reads."""
