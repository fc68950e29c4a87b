"""A real control plane for the tests that need one, and a provider on it, asked through the protocol."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2
from pulumi.runtime.proto import provider_pb2, status_pb2

from local.control_plane import ControlPlane, ensure
from local.kubernetes import KubernetesProvider
from local.paths import DataRoot
from local.provider import Values, from_struct, to_struct
from local.provider.values import reveal
from tests.components.mocks import Cloud

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


class Refused(Exception):
    """What a call ended with; ``init`` is the half-made resource, where there is one."""

    def __init__(self, message: str, init: provider_pb2.ErrorResourceInitFailed | None = None) -> None:
        super().__init__(message)
        self.init = init


class Context:
    """A gRPC context that raises instead of answering."""

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        raise Refused(details)

    def abort_with_status(self, status: Any) -> None:
        packed = status_pb2.Status.FromString(dict(status.trailing_metadata)["grpc-status-details-bin"])
        init = provider_pb2.ErrorResourceInitFailed()
        any_pb2.Any.Unpack(packed.details[0], init)
        raise Refused(status.details, init)


@dataclass
class Client:
    """A provider as an engine asks it; every answer is plain, secrets revealed."""

    provider: KubernetesProvider
    said: list[str] = field(default_factory=list)

    def configure(self, kubeconfig: object) -> Client:
        request = provider_pb2.ConfigureRequest(args=to_struct({"kubeconfig": kubeconfig}), acceptSecrets=True)
        self.provider.Configure(request, Context())
        self.provider.log = lambda urn, severity, message: self.said.append(message)
        return self

    def check(self, urn: str, inputs: Values, olds: Mapping[str, Any] | None = None) -> Values:
        request = provider_pb2.CheckRequest(urn=urn, news=to_struct(inputs), olds=to_struct(olds or {}))
        return reveal(from_struct(self.provider.Check(request, Context()).inputs))

    def create(self, urn: str, inputs: Values, preview: bool = False, timeout: float = 60) -> tuple[str, Values]:
        request = provider_pb2.CreateRequest(urn=urn, properties=to_struct(inputs), preview=preview, timeout=timeout)
        made = self.provider.Create(request, Context())
        return made.id, reveal(from_struct(made.properties))

    def diff(self, urn: str, id: str, olds: Values, old_inputs: Values, news: Values) -> provider_pb2.DiffResponse:
        request = provider_pb2.DiffRequest(
            urn=urn, id=id, olds=to_struct(olds), old_inputs=to_struct(old_inputs), news=to_struct(news)
        )
        return self.provider.Diff(request, Context())

    def update(self, urn: str, id: str, olds: Values, old_inputs: Values, news: Values) -> Values:
        request = provider_pb2.UpdateRequest(
            urn=urn, id=id, olds=to_struct(olds), old_inputs=to_struct(old_inputs), news=to_struct(news), timeout=60
        )
        return reveal(from_struct(self.provider.Update(request, Context()).properties))

    def read(self, urn: str, id: str, inputs: Values | None = None, outputs: Values | None = None) -> Any:
        request = provider_pb2.ReadRequest(
            urn=urn, id=id, inputs=to_struct(inputs or {}), properties=to_struct(outputs or {})
        )
        answer = self.provider.Read(request, Context())
        return answer.id, reveal(from_struct(answer.inputs)), reveal(from_struct(answer.properties))

    def delete(self, urn: str, id: str, outputs: Values, inputs: Values | None = None) -> None:
        request = provider_pb2.DeleteRequest(
            urn=urn, id=id, properties=to_struct(outputs), old_inputs=to_struct(inputs or {}), timeout=60
        )
        self.provider.Delete(request, Context())


def urn_of(token: str, name: str) -> str:
    """The URN of a resource in a stack that no other test shares a name with."""
    return f"urn:pulumi:test::ai-datacenter::{token}::{name}"


def serve(plane: ControlPlane, definitions: Sequence[dict[str, Any]]) -> None:
    """Let the API server know kinds of others, by their definitions; nothing acts on them."""
    for one in definitions:
        plane.api().create(DEFINITIONS, one)
    end = time.monotonic() + 30
    for one in definitions:
        while not _is_served(plane, name := one["metadata"]["name"]):
            assert time.monotonic() < end, f"{name} is not served after 30 s"
            time.sleep(0.1)


def _is_served(plane: ControlPlane, name: str) -> bool:
    conditions = plane.api().get(f"{DEFINITIONS}/{name}").get("status", {}).get("conditions") or []
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


def objects_of(cloud: Cloud) -> list[tuple[str, str, dict[str, Any]]]:
    """Token, name and inputs of everything in Kubernetes. Through the mocks whole numbers come as floating ones."""
    return [
        (one.typ, one.name, json.loads(json.dumps(one.inputs), parse_float=lambda text: int(float(text))))
        for one in cloud.resources
        if one.typ.startswith("kubernetes:")
    ]


def kubeconfig_for(endpoint: str) -> str:
    """A kubeconfig as production's: credentials come from an exec plugin, which the local provider never runs."""
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1beta1", "command": "aws", "args": ["eks"]}}
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": endpoint}}],
            "users": [{"name": "u", "user": user}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
    )


@pytest.fixture(scope="session")
def real_root(tmp_path_factory: pytest.TempPathFactory) -> DataRoot:
    """The data root of the session's control plane."""
    return DataRoot(tmp_path_factory.mktemp("kubernetes") / "datacenter")


@pytest.fixture(scope="session")
def plane(real_root: DataRoot) -> Iterator[ControlPlane]:
    """One real control plane for all tests of this folder."""
    plane = ensure(real_root, "eu-central-1", "test")
    yield plane
    plane.remove()


@pytest.fixture
def client(real_root: DataRoot, plane: ControlPlane) -> Client:
    """A fresh provider on the real control plane, as a new run has."""
    return new_client(real_root, plane)


def new_client(root: DataRoot, plane: ControlPlane) -> Client:
    """A provider that knows nothing of what others did: that of the next run."""
    return Client(KubernetesProvider(root)).configure(kubeconfig_for(plane.endpoint))
