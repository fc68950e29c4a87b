"""GKE: a real control plane for a cluster, nodes for its node pools."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor

from local import control_plane, nodes
from local.gcp import records
from local.gcp.machine_types import MachineType, machine_type
from local.gcp.resource_type import Place, ResourceType
from local.node_spec import NodeSpec, Taint
from local.provider import ProviderError, Values

CLUSTER, NODE_POOL = "gcp:container/cluster:Cluster", "gcp:container/nodePool:NodePool"
_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "PREFER_NO_SCHEDULE": "PreferNoSchedule", "NO_EXECUTE": "NoExecute"}
# A pool's labels and taints come at a node's registration. This one is taken off by its check, and not put on again.
_UNVERIFIED = "ai-datacenter/unverified"
_NODE_POOL_LABEL = "cloud.google.com/gke-nodepool"
_ACCELERATOR_LABEL, _TOPOLOGY_LABEL = "cloud.google.com/gke-tpu-accelerator", "cloud.google.com/gke-tpu-topology"


def _plane(place: Place, name: str, location: str) -> control_plane.ControlPlane | None:
    found = control_plane.clusters(place.root)
    return next((plane for plane in found if (plane.region, plane.name) == (location, name)), None)


def _location(place: Place, inputs: Values) -> str:
    return str(inputs.get("location") or place.region)


def _ensure_cluster(place: Place, inputs: Values) -> None:
    control_plane.ensure(place.root, _location(place, inputs), inputs["name"])


def _cluster_outputs(place: Place, inputs: Values) -> Values:
    """Its endpoints are this machine's; where they are asked by name, the name is the address."""
    plane = _plane(place, inputs["name"], _location(place, inputs))
    if plane is None:
        return {}
    address = plane.endpoint.removeprefix("https://")
    declared = inputs.get("controlPlaneEndpointsConfig") or {}
    dns = {**(declared.get("dnsEndpointConfig") or {}), "endpoint": address}
    return {
        "endpoint": address,
        "masterAuth": {"clusterCaCertificate": base64.b64encode(plane.ca_pem.encode()).decode()},
        "controlPlaneEndpointsConfig": {**declared, "dnsEndpointConfig": dns},
    }


def _dead_cluster(place: Place, inputs: Values) -> str:
    plane = _plane(place, inputs["name"], _location(place, inputs))
    return ", ".join(plane.missing()) if plane else "the control plane"


def _remove_cluster(place: Place, inputs: Values) -> None:
    if plane := _plane(place, inputs["name"], _location(place, inputs)):
        plane.remove()


def count(inputs: Values) -> int:
    """How many nodes there are: nothing scales here, so that what comes on demand is there from the beginning."""
    if (fixed := inputs.get("nodeCount")) is not None:
        return int(fixed)
    most = (inputs.get("autoscaling") or {}).get("totalMaxNodeCount") or 0
    return int(inputs.get("initialNodeCount") or most)


def specs(place: Place, inputs: Values) -> list[NodeSpec]:
    """The nodes of a node pool.

    Raises:
        ProviderError: the machine type is unknown.
    """
    config = inputs.get("nodeConfig") or {}
    name, kind = str(inputs["name"]), str(config.get("machineType") or "e2-medium")
    machine = machine_type(kind)
    if machine is None:
        raise ProviderError(f"no machine type {kind} of Google's is known here; local/gcp/machine_types.py has them")
    location = _location(place, inputs)
    zones = list(inputs.get("nodeLocations") or [f"{location}-{letter}" for letter in "abc"])
    taints = tuple(Taint(one["key"], one["value"], _EFFECTS[one["effect"]]) for one in config.get("taints") or [])
    declared = dict(config.get("labels") or {})
    first_labels = {key: declared.pop(key) for key in (_UNVERIFIED,) if key in declared}
    first_taints = tuple(taint for taint in taints if taint.key == _UNVERIFIED)
    labels = {**declared, **_own_labels(place, name, machine, inputs)}
    return [
        NodeSpec(
            name=f"{name}-{number}", nodegroup=name, instance_type=kind, zone=zones[number % len(zones)], cloud="gcp",
            vcpus=machine.vcpus, memory_mib=machine.memory_gib * 1024, labels=labels,
            taints=tuple(taint for taint in taints if taint not in first_taints),
            first_labels=first_labels, first_taints=first_taints,
        )
        for number in range(count(inputs))
    ]  # fmt: skip


def _own_labels(place: Place, name: str, machine: MachineType, inputs: Values) -> dict[str, str]:
    """Those that GKE sets."""
    labels = {_NODE_POOL_LABEL: name}
    if machine.chips:
        labels |= {_ACCELERATOR_LABEL: machine.accelerator, _TOPOLOGY_LABEL: _topology(place, machine, inputs)}
    return labels


def _topology(place: Place, machine: MachineType, inputs: Values) -> str:
    """That of the placement, which may be a workload policy; else that of one machine."""
    placement = inputs.get("placementPolicy") or {}
    if policy := placement.get("policyName"):
        id = POLICY.id_of(place, {"name": policy})
        found = records.read(place.root, POLICY.token, id)
        return ((found.inputs if found else {}).get("workloadPolicy") or {}).get("acceleratorTopology") or machine.alone
    return placement.get("tpuTopology") or machine.alone


def _pool_plane(place: Place, inputs: Values) -> control_plane.ControlPlane | None:
    return _plane(place, str(inputs["cluster"]).rpartition("/")[2], _location(place, inputs))


def _ensure_nodes(place: Place, inputs: Values) -> None:
    if _pool_plane(place, inputs) is None:
        raise ProviderError(f"node pool {inputs['name']}: there is no cluster {inputs['cluster']} here; run `aidc up`")
    plane = control_plane.ensure(place.root, _location(place, inputs), str(inputs["cluster"]).rpartition("/")[2])
    carrier, wanted = nodes.of(plane), specs(place, inputs)
    names = {spec.name for spec in wanted}
    surplus = [spec.name for spec in carrier.list_nodes(plane, inputs["name"]) if spec.name not in names]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: carrier.stop(plane, name), surplus))
        list(pool.map(lambda spec: carrier.start(plane, spec), wanted))


def _dead_nodes(place: Place, inputs: Values) -> str:
    plane = _pool_plane(place, inputs)
    if plane is None:
        return "all nodes"
    return ", ".join(spec.name for spec in specs(place, inputs) if not nodes.of(plane).running(plane, spec.name))


def _remove_nodes(place: Place, inputs: Values) -> None:
    if (plane := _pool_plane(place, inputs)) is None:
        return
    carrier = nodes.of(plane)
    names = [spec.name for spec in carrier.list_nodes(plane, inputs["name"])]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: carrier.stop(plane, name), names))


POLICY = ResourceType(
    token="gcp:compute/resourcePolicy:ResourcePolicy",
    id="projects/{project}/regions/{region}/resourcePolicies/{name}",
    replace_on=("name", "project", "region", "workloadPolicy", "description"),
)
TYPES = (
    POLICY,
    ResourceType(
        token=CLUSTER,
        id="projects/{project}/locations/{location}/clusters/{name}",
        replace_on=(
            "name", "project", "location", "network", "subnetwork", "networkingMode", "ipAllocationPolicy",
            "datapathProvider", "nodeConfig", "initialNodeCount", "privateClusterConfig.enablePrivateNodes",
        ),
        outputs=_cluster_outputs, realise=_ensure_cluster, dead=_dead_cluster, remove=_remove_cluster,
        fidelity="realised",
    ),
    ResourceType(
        token=NODE_POOL,
        id="projects/{project}/locations/{location}/clusters/{cluster}/nodePools/{name}",
        replace_on=(
            "name", "project", "location", "cluster", "initialNodeCount", "maxPodsPerNode", "placementPolicy",
            "queuedProvisioning", "nodeConfig.machineType", "nodeConfig.spot", "nodeConfig.flexStart",
            "nodeConfig.serviceAccount", "nodeConfig.oauthScopes", "nodeConfig.shieldedInstanceConfig",
            "nodeConfig.reservationAffinity",
        ),
        realise=_ensure_nodes, dead=_dead_nodes, remove=_remove_nodes, fidelity="realised",
    ),
)  # fmt: skip
"""Clusters, node pools, and the policies that place them."""
