"""EKS's add-ons, access entries and pod identities: moto 5.2.5 has none of them, so they are recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from local.aws.cloud import ACCOUNT
from local.aws.recorded import recorded_type
from local.aws.resource_type import Call
from local.provider import ProviderError
from local.provider.values import Values

_EPOCH = "1970-01-01T00:00:00Z"
"""When recorded things were made: nothing made them."""


def _needs_cluster(call: Call) -> None:
    name = call.inputs["clusterName"]
    if call.cloud.seek("eks", "describe_cluster", name=name) is None:
        raise ProviderError(f"there is no EKS cluster {name} in {call.cloud.region}")


def _digest(call: Call) -> str:
    return hashlib.sha256(call.urn.encode()).hexdigest()


def _with(outputs: Callable[[Call], Values]) -> Callable[[Call], Values]:
    return lambda call: {"createdAt": _EPOCH, "modifiedAt": _EPOCH, **outputs(call)}


def _addon(call: Call) -> Values:
    cluster, name = call.inputs["clusterName"], call.inputs["addonName"]
    return {
        "id": f"{cluster}:{name}",
        "arn": call.cloud.arn("eks", f"addon/{cluster}/{name}/{_digest(call)[:8]}"),
        "addonVersion": call.inputs.get("addonVersion", "latest"),
        "configurationValues": call.inputs.get("configurationValues", ""),
    }


def _access_entry(call: Call) -> Values:
    cluster, principal = call.inputs["clusterName"], str(call.inputs["principalArn"])
    return {
        "id": f"{cluster}:{principal}",
        "accessEntryArn": call.cloud.arn(
            "eks", f"access-entry/{cluster}/role/{ACCOUNT}/{principal.rsplit('/', 1)[-1]}"
        ),
        "type": call.inputs.get("type", "STANDARD"),
        "userName": call.inputs.get("userName", principal),
        "kubernetesGroups": call.inputs.get("kubernetesGroups") or [],
    }


def _policy_association(call: Call) -> Values:
    inputs = call.inputs
    return {
        "id": f"{inputs['clusterName']}#{inputs['principalArn']}#{inputs['policyArn']}",
        "associatedAt": _EPOCH,
        "modifiedAt": _EPOCH,
    }


def _pod_identity(call: Call) -> Values:
    cluster, id = call.inputs["clusterName"], f"a-{_digest(call)[:17]}"
    return {
        "id": id,
        "associationId": id,
        "associationArn": call.cloud.arn("eks", f"podidentityassociation/{cluster}/{id}"),
        "externalId": "",
        "disableSessionTags": bool(call.inputs.get("disableSessionTags", False)),
    }


TYPES = (
    recorded_type(
        token="aws:eks/addon:Addon",
        service="eks",
        operation="CreateAddon",
        outputs=_with(_addon),
        replace_on=("clusterName", "addonName", "namespaceConfig"),
        renames={"resolveConflictsOnCreate": "resolveConflicts"},
        drop=("resolveConflictsOnUpdate", "preserve"),
        check=_needs_cluster,
    ),
    recorded_type(
        token="aws:eks/accessEntry:AccessEntry",
        service="eks",
        operation="CreateAccessEntry",
        outputs=_with(_access_entry),
        replace_on=("clusterName", "principalArn", "type"),
        check=_needs_cluster,
    ),
    recorded_type(
        token="aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        service="eks",
        operation="AssociateAccessPolicy",
        outputs=_policy_association,
        replace_on=("clusterName", "principalArn", "policyArn", "accessScope"),
        taggable=False,
        check=_needs_cluster,
    ),
    recorded_type(
        token="aws:eks/podIdentityAssociation:PodIdentityAssociation",
        service="eks",
        operation="CreatePodIdentityAssociation",
        outputs=_pod_identity,
        replace_on=("clusterName", "namespace", "serviceAccount"),
        check=_needs_cluster,
    ),
)
"""Recorded types of EKS."""
