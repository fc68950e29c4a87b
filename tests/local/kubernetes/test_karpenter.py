"""Karpenter's pools are objects that a real API server takes, by the definitions and rules of Karpenter's release."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from components.karpenter_pools import AWS, CORE
from local.control_plane import ControlPlane
from local.kube_api import ApiError
from tests.components.test_karpenter import declared

from .conftest import Client, objects_of, serve, urn_of
from .releases import definitions

pytestmark = pytest.mark.real
MODULE = "github.com/aws/karpenter-provider-aws@v1.14.1"
DIGEST = "h1:WGtIQTQcxpElYMdWfWuPwaF2+9muR+hYhPZsTtoY8Gs="
PLURALS = {"NodePool": (CORE, "nodepools"), "EC2NodeClass": (AWS, "ec2nodeclasses")}
FILES = [f"pkg/apis/crds/{api.partition('/')[0]}_{plural}.yaml" for api, plural in PLURALS.values()]


@pytest.fixture(scope="module")
def with_karpenter(plane: ControlPlane) -> ControlPlane:
    """The control plane with Karpenter's kinds, and nothing that acts on them."""
    serve(plane, definitions(MODULE, DIGEST, FILES))
    return plane


@pytest.fixture(scope="module")
def made() -> list[tuple[str, str, dict[str, Any]]]:
    """Token, name and inputs of all of Karpenter's objects, classes first."""
    return sorted(objects_of(declared()))


def strictly(plane: ControlPlane, token: str, inputs: dict[str, Any]) -> dict[str, Any]:
    """What the API server makes of it, where a field that it does not know is an error."""
    api, plural = PLURALS[token.rpartition(":")[2]]
    return plane.api().create(f"/apis/{api}/{plural}?dryRun=All&fieldValidation=Strict", inputs)


def test_karpenter_s_definitions_know_every_field_and_value(
    with_karpenter: ControlPlane, made: list[tuple[str, str, dict[str, Any]]]
) -> None:
    for token, _, inputs in made:
        assert strictly(with_karpenter, token, inputs)["spec"]
    assert [token.rpartition(":")[2] for token, _, _ in made] == ["EC2NodeClass"] * 2 + ["NodePool"] * 2


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("NodePool", ("template", "metadata", "labels"), {"karpenter.sh/x": "y"}),
        ("NodePool", ("template", "metadata", "labels"), {"mykarpenter.sh/a": "y"}),
        ("NodePool", ("disruption", "consolidationPolicy"), "Whenever"),
        ("NodePool", ("template", "spec", "taints"), [{"key": "a", "effect": "NoSchedule", "value": ""}]),
        ("EC2NodeClass", ("tags",), {"karpenter.sh/nodepool": "a"}),
        ("EC2NodeClass", ("role",), "beside-a-profile"),
        ("EC2NodeClass", ("amiSelectorTerms",), [{"alias": "debian@v1"}]),
    ],
)
def test_what_the_rules_keep_out_the_definitions_refuse(
    with_karpenter: ControlPlane,
    made: list[tuple[str, str, dict[str, Any]]],
    kind: str,
    path: tuple[str, ...],
    value: Any,
) -> None:
    token, inputs = next((token, copy.deepcopy(inputs)) for token, _, inputs in made if token.endswith(f":{kind}"))
    holder = inputs["spec"]
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    with pytest.raises(ApiError, match="is invalid"):
        strictly(with_karpenter, token, inputs)


def test_they_stand_as_declared(
    client: Client, with_karpenter: ControlPlane, made: list[tuple[str, str, dict[str, Any]]]
) -> None:
    """They go with the control plane: its garbage collector takes half a minute to see that there is a new kind."""
    for token, name, inputs in made:
        urn = urn_of(token, name)
        checked = client.check(urn, inputs)
        id, outputs = client.create(urn, checked)
        assert not client.diff(urn, id, outputs, checked, checked).diffs
    api, plural = PLURALS["NodePool"]
    standing = with_karpenter.api().get(f"/apis/{api}/{plural}")["items"]
    assert {one["metadata"]["name"] for one in standing} == {"web", "llm"}
