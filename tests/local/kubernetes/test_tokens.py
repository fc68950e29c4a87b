"""Type tokens, ids and defaults."""

from __future__ import annotations

import pytest

from local.kubernetes import fidelity
from local.kubernetes.manifest import AUTONAMED, with_defaults
from local.kubernetes.tokens import ObjectId, ObjectType
from local.provider import UNKNOWN, ProviderError


@pytest.mark.parametrize(
    ("token", "api_version", "kind"),
    [
        ("kubernetes:core/v1:Namespace", "v1", "Namespace"),
        ("kubernetes:batch/v1:Job", "batch/v1", "Job"),
        ("kubernetes:rbac.authorization.k8s.io/v1:Role", "rbac.authorization.k8s.io/v1", "Role"),
        ("kubernetes:kueue.x-k8s.io/v1beta1:Workload", "kueue.x-k8s.io/v1beta1", "Workload"),
    ],
)
def test_a_token_names_an_api_version_and_a_kind(token: str, api_version: str, kind: str) -> None:
    assert ObjectType.of_token(token) == ObjectType(api_version, kind)


@pytest.mark.parametrize(
    "token",
    ["kubernetes:helm.sh/v3:Release", "kubernetes:yaml:ConfigFile", "kubernetes:core/v1:PodList",
     "kubernetes:apps/v1:DeploymentPatch"],
)  # fmt: skip
def test_what_is_not_one_whole_object_is_refused(token: str) -> None:
    with pytest.raises(ProviderError, match=token):
        ObjectType.of_token(token)


def test_an_id_is_the_namespace_and_the_name() -> None:
    assert str(ObjectId("a", "b")) == "a/b"
    assert ObjectId.parse("a/b") == ObjectId("a", "b")
    assert ObjectId.parse("b") == ObjectId("", "b")


def test_an_unnamed_object_gets_a_name_and_a_mark_and_the_default_namespace() -> None:
    inputs = with_defaults({}, ObjectType("v1", "ConfigMap"), "", "a-1234567")
    metadata = {"name": "a-1234567", "namespace": "default", "annotations": {AUTONAMED: "true"}}
    assert inputs == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}


def test_objects_outside_namespaces_get_none() -> None:
    for type in (ObjectType("v1", "Namespace"), ObjectType("rbac.authorization.k8s.io/v1", "ClusterRole")):
        assert "namespace" not in with_defaults({}, type, "team", "a")["metadata"]


def test_what_is_not_known_yet_stays_unknown() -> None:
    type = ObjectType("v1", "ConfigMap")
    assert with_defaults({"metadata": UNKNOWN}, type, "", "a")["metadata"] is UNKNOWN
    named = with_defaults({"metadata": {"name": UNKNOWN, "namespace": UNKNOWN}}, type, "", "a")["metadata"]
    assert named == {"name": UNKNOWN, "namespace": UNKNOWN}


def test_a_generated_name_starts_as_asked() -> None:
    metadata = with_defaults({"metadata": {"generateName": "run-"}}, ObjectType("v1", "Pod"), "", "a-99")["metadata"]
    assert metadata["name"] == "run-99"
    assert "generateName" not in metadata


def test_kinds_without_a_controller_here_are_told_apart() -> None:
    assert fidelity("kubernetes:batch/v1:Job") == "realised"
    assert fidelity("kubernetes:networking.k8s.io/v1:NetworkPolicy") == "recorded"
    assert fidelity("kubernetes:example.com/v1:Thing") == "recorded"
