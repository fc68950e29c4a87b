"""Calls of a provider's servicer in this process: the context that it is given, and what its failures become."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import grpc
from pulumi.runtime.proto import provider_pb2, status_pb2

from local.engine.values import Values, from_struct

Answer = TypeVar("Answer")


class ProviderFailure(Exception):
    """A provider refused or failed; the message is the provider's own."""

    def __init__(self, message: str, code: grpc.StatusCode = grpc.StatusCode.UNKNOWN) -> None:
        super().__init__(message)
        self.message = message
        self.code = code

    @property
    def is_unimplemented(self) -> bool:
        """Whether the provider does not offer the method at all."""
        return self.code is grpc.StatusCode.UNIMPLEMENTED


class HalfMade(ProviderFailure):
    """The provider made something that did not become ready: it exists, and belongs into the state."""

    def __init__(self, message: str, detail: provider_pb2.ErrorResourceInitFailed) -> None:
        reasons = [reason for reason in detail.reasons if reason != message]
        super().__init__("\n".join([message, *reasons]))
        self.id = detail.id
        self.outputs: Values = from_struct(detail.properties)
        self.inputs: Values | None = from_struct(detail.inputs) if detail.HasField("inputs") else None
        self.reasons = tuple(detail.reasons) or (message,)


@dataclass
class CallContext:
    """What a servicer's method sees of gRPC when it is called in this process."""

    code: grpc.StatusCode | None = None
    details: str = ""
    trailing: tuple[tuple[str, Any], ...] = ()

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        """End the call with a failure."""
        raise _failure(code, details, self.trailing)

    def abort_with_status(self, status: Any) -> NoReturn:
        """End the call with a failure that carries details."""
        raise _failure(status.code, status.details, status.trailing_metadata or ())

    def set_code(self, code: grpc.StatusCode) -> None:
        """Fail the call when the method returns."""
        self.code = code

    def set_details(self, details: str) -> None:
        """The message of that failure."""
        self.details = details

    def set_trailing_metadata(self, trailing: Iterable[tuple[str, Any]]) -> None:
        """The details of that failure."""
        self.trailing = tuple(trailing)

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        """What the caller sent along: nothing."""
        return ()

    def is_active(self) -> bool:
        """Whether the caller still waits: always, in one process."""
        return True

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Never called: the caller does not go away."""
        return True


def call(method: Callable[[Any, Any], Answer], request: Any) -> Answer:
    """The answer of a servicer's method.

    Raises:
        ProviderFailure: the provider refused or failed.
        HalfMade: it failed after having made something.
    """
    context = CallContext()
    try:
        answer = method(request, context)
    except ProviderFailure:
        raise
    except NotImplementedError:
        name = getattr(method, "__name__", "this")
        raise ProviderFailure(f"the provider does not offer {name}", grpc.StatusCode.UNIMPLEMENTED) from None
    except Exception as defect:
        raise ProviderFailure(f"a defect of the provider: {type(defect).__name__}: {defect}") from defect
    if context.code not in (None, grpc.StatusCode.OK):
        raise _failure(context.code, context.details, context.trailing)
    return answer


def _failure(code: Any, details: str, trailing: Iterable[tuple[str, Any]]) -> ProviderFailure:
    for key, packed in trailing:
        if key != "grpc-status-details-bin":
            continue
        for detail in status_pb2.Status.FromString(packed).details:
            half_made = provider_pb2.ErrorResourceInitFailed()
            if detail.Unpack(half_made):
                return HalfMade(details, half_made)
    return ProviderFailure(details, code)
