"""What the pods that check nodes may do in the cluster: as plain values, for RBAC and for an admission policy.

RBAC cannot say "one's own node", nor "this taint and nothing else": it lets them read and change nodes, and the policy
refuses whatever else they would change. The API server knows a pod's node from the token that is bound to the pod.
"""

from __future__ import annotations

from typing import Any

from .settings import UNVERIFIED

NAMESPACE, ACCOUNT = "node-verification", "node-verification"
ROLE = "ai-datacenter:node-verification"
POLICY = "ai-datacenter-node-verification"
USER = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
# Of a token that is bound to a pod, since Kubernetes 1.30.
_NODE_OF_TOKEN = "authentication.kubernetes.io/node-name"

RULES: list[dict[str, Any]] = [{"api_groups": [""], "resources": ["nodes"], "verbs": ["get", "patch"]}]
SUBJECT: Any = {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": NAMESPACE}


def policy() -> dict[str, Any]:
    """The policy's specification, in CEL."""
    return {
        "failure_policy": "Fail",
        "match_constraints": {
            "resource_rules": [
                {"api_groups": [""], "api_versions": ["v1"], "operations": ["UPDATE"], "resources": ["nodes"]}
            ]
        },
        # Nobody else is asked, so that a mistake in here can hold up nobody else.
        "match_conditions": [{"name": "who", "expression": f"request.userInfo.username == '{USER}'"}],
        "variables": [
            {"name": f"{when}{what.title()}", "expression": f"{of}.{path}.orValue({empty})"}
            for when, of in (("old", "oldObject"), ("new", "object"))
            for what, path, empty in (
                ("labels", "metadata.?labels", "{}"),
                ("annotations", "metadata.?annotations", "{}"),
                ("taints", "spec.?taints", "[]"),
            )
        ],
        "validations": [{"message": message, "expression": expression} for message, expression in _validations()],
    }


def _validations() -> list[tuple[str, str]]:
    key, old, new = f"'{UNVERIFIED}'", "variables.old", "variables.new"
    node = f"'{_NODE_OF_TOKEN}'"
    extra = "request.userInfo.extra"
    return [
        (
            "a check changes the node that it runs on, and no other",
            f"{node} in {extra} && {extra}[{node}] == [request.name]",
        ),
        (
            f"of a node's labels a check takes off {UNVERIFIED}, and changes no other",
            f"{_kept(f'{old}Labels', f'{new}Labels', key)} && {new}Labels.all(k, k in {old}Labels)",
        ),
        (
            f"of a node's annotations a check changes {UNVERIFIED}, and no other",
            f"{_kept(f'{old}Annotations', f'{new}Annotations', key)} && "
            f"{new}Annotations.all(k, k == {key} || k in {old}Annotations)",
        ),
        (
            f"of a node's taints a check changes {UNVERIFIED}, and no other",
            f"{new}Taints.filter(t, t.key != {key}) == {old}Taints.filter(t, t.key != {key}) && "
            f"{new}Taints.filter(t, t.key == {key}).all(t, t.effect == 'NoSchedule')",
        ),
        (
            "a check changes nothing else of a node",
            f"{_kept('oldObject.spec', 'object.spec', chr(39) + 'taints' + chr(39))} && "
            "object.spec.all(k, k == 'taints' || k in oldObject.spec) && "
            "object.metadata.?finalizers == oldObject.metadata.?finalizers && "
            "object.metadata.?ownerReferences == oldObject.metadata.?ownerReferences",
        ),
    ]


def _kept(old: str, new: str, but: str) -> str:
    """CEL: whether all members of ``old`` are in ``new`` as they were, ``but`` one."""
    return f"{old}.all(k, k == {but} || (k in {new} && {new}[k] == {old}[k]))"
