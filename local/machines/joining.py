"""How machines join: a token for each start, and what the cluster lets joining machines and their programs do."""

from __future__ import annotations

import base64
import datetime
import hashlib
import secrets
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from local.control_plane.components import KUBELET_CLIENT
from local.kube_api import MERGE_PATCH, ApiError, KubeApi

if TYPE_CHECKING:
    from local.control_plane import ControlPlane

TOKEN_LIFETIME = datetime.timedelta(minutes=30)
"""Longer than any boot, and then the controller manager deletes it."""
DNS_USER, PROXY_USER = "system:coredns", "system:kube-proxy"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_SECRETS = "/api/v1/namespaces/kube-system/secrets"
_SIGNING = "system:certificates.k8s.io:certificatesigningrequests"
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_READ = ["get", "list", "watch"]


def admit(plane: ControlPlane) -> None:
    """Let machines join and serve; what is there is left alone."""
    api = plane.api()
    for kind, manifest in _rules():
        path = f"{_RBAC}/{kind}"
        try:
            api.create(path, {"apiVersion": "rbac.authorization.k8s.io/v1", **manifest})
        except ApiError as error:
            if error.status != 409:
                raise


def new_token(plane: ControlPlane, node: str) -> str:
    """A token with which that node may ask for its certificate; one of an earlier start ends with it."""
    identity, secret = token_id(node), secrets.token_hex(8)
    expires = (datetime.datetime.now(datetime.UTC) + TOKEN_LIFETIME).strftime(_TIME)
    data = {
        "token-id": identity,
        "token-secret": secret,
        "expiration": expires,
        "usage-bootstrap-authentication": "true",
        "description": f"machine {node}",
    }
    api, name = plane.api(), f"bootstrap-token-{identity}"
    manifest = {"metadata": {"name": name}, "type": "bootstrap.kubernetes.io/token", "stringData": data}
    try:
        api.create(_SECRETS, {"apiVersion": "v1", "kind": "Secret", **manifest})
    except ApiError as error:
        if error.status != 409:
            raise
        api.patch(f"{_SECRETS}/{name}", {"stringData": data}, MERGE_PATCH)
    return f"{identity}.{secret}"


def has_token(api: KubeApi, node: str) -> bool:
    """Whether the node has a token with which it may still join: neither used nor expired."""
    secret = api.find(f"{_SECRETS}/bootstrap-token-{token_id(node)}")
    if secret is None:
        return False
    expires = base64.b64decode(secret.get("data", {}).get("expiration", "")).decode()
    return expires > datetime.datetime.now(datetime.UTC).strftime(_TIME)


def forget_token(api: KubeApi, node: str) -> None:
    """Delete the node's token, which it needs no more."""
    api.delete(f"{_SECRETS}/bootstrap-token-{token_id(node)}")


def token_id(node: str) -> str:
    """Six characters, as tokens' names have."""
    return hashlib.sha256(node.encode()).hexdigest()[:6]


def _rules() -> Iterator[tuple[str, dict[str, Any]]]:
    joining, nodes = _group("system:bootstrappers"), _group("system:nodes")
    yield "clusterrolebindings", _binding("join", "system:node-bootstrapper", joining)
    yield "clusterrolebindings", _binding("sign-first-certificate", f"{_SIGNING}:nodeclient", joining)
    yield "clusterrolebindings", _binding("renew-certificate", f"{_SIGNING}:selfnodeclient", nodes)
    yield "clusterrolebindings", _binding("read-logs", "system:kubelet-api-admin", _user(KUBELET_CLIENT))
    rules = [
        {"apiGroups": [""], "resources": ["services", "pods", "namespaces"], "verbs": _READ},
        {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": _READ},
    ]
    yield "clusterroles", {"kind": "ClusterRole", "metadata": {"name": DNS_USER}, "rules": rules}
    yield "clusterrolebindings", _binding("dns", DNS_USER, _user(DNS_USER))


def _binding(name: str, role: str, subject: dict[str, str]) -> dict[str, Any]:
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    metadata = {"name": f"ai-datacenter:{name}"}
    return {"kind": "ClusterRoleBinding", "metadata": metadata, "roleRef": reference, "subjects": [subject]}


def _group(name: str) -> dict[str, str]:
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": name}


def _user(name: str) -> dict[str, str]:
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}
