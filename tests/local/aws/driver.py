"""A small engine for tests: it speaks the provider protocol to a servicer in process, message by message."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import grpc
from pulumi.runtime.proto import provider_pb2

from local.provider import LocalProvider, from_struct, to_struct


class Refused(Exception):
    """The provider aborted the call; ``details`` is what the user reads."""

    def __init__(self, details: str, trailing: bytes = b"") -> None:
        self.details, self.trailing = details, trailing
        super().__init__(details)


class Context:
    """What a servicer method needs of a gRPC context."""

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        raise Refused(details)

    def abort_with_status(self, status: Any) -> None:
        raise Refused(status.details, status.trailing_metadata[0][1])


@dataclass
class Resource:
    """A resource of the test's state."""

    urn: str
    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    id: str = ""


def urn_of(token: str, name: str) -> str:
    return f"urn:pulumi:test::ai-datacenter::{token}::{name}"


@dataclass
class Driver:
    """Runs single operations on a provider, as an engine would."""

    provider: LocalProvider

    def configure(self, **config: Any) -> Driver:
        self.provider.Configure(provider_pb2.ConfigureRequest(args=to_struct(config)), Context())
        return self

    def check(self, urn: str, inputs: dict[str, Any], olds: dict[str, Any] | None = None) -> dict[str, Any]:
        request = provider_pb2.CheckRequest(
            urn=urn, news=to_struct(inputs), olds=to_struct(olds) if olds else None, randomSeed=b"seed"
        )
        response = self.provider.Check(request, Context())
        assert not response.failures, response.failures
        return from_struct(response.inputs)

    def create(self, token: str, name: str, inputs: dict[str, Any], preview: bool = False) -> Resource:
        urn = urn_of(token, name)
        checked = self.check(urn, inputs)
        request = provider_pb2.CreateRequest(urn=urn, properties=to_struct(checked), preview=preview)
        response = self.provider.Create(request, Context())
        return Resource(urn, checked, from_struct(response.properties), response.id)

    def diff(self, resource: Resource, inputs: dict[str, Any]) -> Any:
        checked = self.check(resource.urn, inputs, resource.inputs)
        return self.provider.Diff(
            provider_pb2.DiffRequest(
                urn=resource.urn, id=resource.id, old_inputs=to_struct(resource.inputs),
                olds=to_struct(resource.outputs), news=to_struct(checked),
            ),
            Context(),
        )  # fmt: skip

    def update(self, resource: Resource, inputs: dict[str, Any], preview: bool = False) -> Resource:
        checked = self.check(resource.urn, inputs, resource.inputs)
        response = self.provider.Update(
            provider_pb2.UpdateRequest(
                urn=resource.urn, id=resource.id, old_inputs=to_struct(resource.inputs), preview=preview,
                olds=to_struct(resource.outputs), news=to_struct(checked),
            ),
            Context(),
        )  # fmt: skip
        return Resource(resource.urn, checked, from_struct(response.properties), resource.id)

    def read(self, resource: Resource) -> Resource | None:
        response = self.provider.Read(
            provider_pb2.ReadRequest(
                urn=resource.urn,
                id=resource.id,
                inputs=to_struct(resource.inputs),
                properties=to_struct(resource.outputs),
            ),
            Context(),
        )
        if not response.id:
            return None
        return Resource(resource.urn, from_struct(response.inputs), from_struct(response.properties), response.id)

    def delete(self, resource: Resource) -> None:
        self.provider.Delete(
            provider_pb2.DeleteRequest(
                urn=resource.urn, id=resource.id, old_inputs=to_struct(resource.inputs),
                properties=to_struct(resource.outputs),
            ),
            Context(),
        )  # fmt: skip

    def invoke(self, token: str, **args: Any) -> dict[str, Any]:
        response = self.provider.Invoke(provider_pb2.InvokeRequest(tok=token, args=to_struct(args)), Context())
        return from_struct(getattr(response, "return"))


def changed(diff: Any) -> dict[str, str]:
    """The detailed diff as path → kind."""
    return {path: provider_pb2.PropertyDiff.Kind.Name(one.kind).lower() for path, one in diff.detailedDiff.items()}
