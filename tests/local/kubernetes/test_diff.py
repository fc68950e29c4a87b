"""What changed, and what can be changed in place."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from local.kubernetes.conflicts import declares
from local.kubernetes.diff import REPLACE_UNREADY, diff
from local.kubernetes.kubeconfig import server_of
from local.kubernetes.manifest import AUTONAMED, drifted_inputs, redact
from local.kubernetes.provider import KubernetesProvider
from local.paths import DataRoot
from local.provider import UNKNOWN, ProviderError, Values
from tests.local.kubernetes.conftest import kubeconfig_for

JOB: Values = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "j", "namespace": "default", "labels": {"a": "1"}},
    "spec": {"completions": 2, "parallelism": 2, "template": {"spec": {"containers": [{"name": "c", "image": "x"}]}}},
}


def changed(manifest: Values, path: str, value: Any) -> Values:
    """The manifest with one field set, by dotted path."""
    result = copy.deepcopy(manifest)
    *parents, last = path.split(".")
    target = result
    for part in parents:
        target = target.setdefault(part, {})
    target[last] = value
    return result


def test_the_same_inputs_show_nothing() -> None:
    assert not diff(JOB, copy.deepcopy(JOB), {}).changes


@pytest.mark.parametrize(
    ("kind", "path", "replaces"),
    [
        ("Job", "metadata.labels.a", False),
        ("Job", "metadata.annotations.b", False),
        ("Job", "spec.parallelism", False),
        ("Job", "spec.completions", True),
        ("Job", "spec.template.metadata.labels.a", True),
        ("Job", "spec.selectorless", False),
        ("Job", "metadata.name", True),
        ("Namespace", "metadata.namespace", True),
        ("Deployment", "spec.selector.matchLabels.a", True),
        ("Deployment", "spec.template.metadata.labels.a", False),
        ("DaemonSet", "spec.selector.matchLabels.a", True),
        ("Service", "spec.clusterIP", True),
        ("Service", "spec.selector.a", False),
        ("RoleBinding", "roleRef.name", True),
        ("ConfigMap", "data.a", True),
        ("Secret", "stringData.a", True),
        ("Pod", "spec.nodeName", True),
    ],
)
def test_only_what_the_server_refuses_to_change_replaces(kind: str, path: str, replaces: bool) -> None:
    old = changed({**JOB, "kind": kind}, path, "old")
    changes = diff(old, changed(old, path, "new"), {})
    assert [(change.path, change.replace) for change in changes.changes] == [(path, replaces)]


def test_an_object_with_a_made_name_is_replaced_before_it_goes() -> None:
    made = changed(JOB, "metadata.annotations", {AUTONAMED: "true"})
    assert not diff(made, changed(made, "spec.completions", 3), {}).delete_before_replace
    assert diff(JOB, changed(JOB, "spec.completions", 3), {}).delete_before_replace
    assert not diff(JOB, changed(JOB, "metadata.name", "k"), {}).delete_before_replace


def test_a_job_that_failed_is_replaced_only_where_that_was_asked() -> None:
    failed = {"kind": "Job", "status": {"conditions": [{"type": "Failed", "status": "True"}]}}
    passed = {"kind": "Job", "status": {"conditions": [{"type": "Complete", "status": "True"}]}}
    asked = changed(JOB, "metadata.annotations", {REPLACE_UNREADY: "true"})
    assert diff(asked, asked, failed).replaces
    assert not diff(asked, asked, passed).changes
    assert not diff(JOB, JOB, failed).changes


def test_another_cluster_replaces_and_one_not_known_yet_may() -> None:
    provider = KubernetesProvider(DataRoot.of_environment())
    one, other = {"kubeconfig": kubeconfig_for("https://a:1")}, {"kubeconfig": kubeconfig_for("https://b:1")}
    assert not provider.diff_config(one, dict(one)).changes
    assert provider.diff_config(one, other).replaces
    assert provider.diff_config(one, {"kubeconfig": UNKNOWN}).replaces
    assert not provider.diff_config(one, {**one, "namespace": "n"}).replaces


def test_drift_is_told_from_what_the_server_normalised_or_never_shows() -> None:
    inputs = {"spec": {"cpu": "1000m"}, "stringData": {"a": "1"}, "metadata": {"labels": {"a": "1", "b": "2"}}}
    before = {"spec": {"cpu": "1", "more": True}, "metadata": {"labels": {"a": "1", "b": "2"}, "uid": "u"}}
    live = {"spec": {"cpu": "1", "more": False}, "metadata": {"labels": {"a": "9"}, "uid": "u"}}
    now = drifted_inputs(inputs, before, live)
    assert now == {"spec": {"cpu": "1000m"}, "stringData": {"a": "1"}, "metadata": {"labels": {"a": "9"}}}


def test_drift_in_one_container_leaves_the_injected_variables_out() -> None:
    def pod(image: str, *names: str) -> Values:
        return {"containers": [{"name": "c", "image": image, "env": [{"name": name, "value": "1"} for name in names]}]}

    assert drifted_inputs(pod("x", "A"), pod("x", "A", "AWS"), pod("y", "A", "AWS")) == pod("y", "A")


@pytest.mark.parametrize(
    ("field", "known"),
    [
        (".metadata.labels.app.kubernetes.io/name", True),
        (".metadata.labels.app", False),
        ('.spec.containers[name="c"].image', True),
        ('.spec.containers[name="d"].image', False),
        ('.spec.finalizers[="f"]', True),
    ],
)
def test_only_fields_declared_before_are_taken_back(field: str, known: bool) -> None:
    inputs = {
        "metadata": {"labels": {"app.kubernetes.io/name": "a"}},
        "spec": {"containers": [{"name": "c", "image": "x"}], "finalizers": ["f"]},
    }
    assert declares(inputs, field) is known


def test_a_secret_is_taken_out_of_the_servers_words_in_either_encoding() -> None:
    manifest = {"kind": "Secret", "stringData": {"a": "canary-1"}, "data": {"b": "Y2FuYXJ5LTI="}}
    said = redact("invalid canary-1, Y2FuYXJ5LTE=, canary-2 and Y2FuYXJ5LTI=", manifest)
    assert said == "invalid [secret], [secret], [secret] and [secret]"


def test_a_kubeconfig_names_its_server_whatever_its_form() -> None:
    text = kubeconfig_for("https://127.0.0.1:1/")
    assert server_of({"kubeconfig": text}) == "https://127.0.0.1:1"
    yaml = (
        "current-context: x\ncontexts: [{name: x, context: {cluster: c}}]\nclusters: [{name: c, cluster: {server: s}}]"
    )
    assert server_of({"kubeconfig": yaml}) == "s"
    assert server_of({"kubeconfig": UNKNOWN}) is None


def test_without_a_kubeconfig_no_ambient_cluster_is_touched() -> None:
    with pytest.raises(ProviderError, match="never used locally"):
        server_of({})
    with pytest.raises(ProviderError) as refused:
        server_of({"kubeconfig": "token: canary: {"})
    assert "canary" not in str(refused.value)
