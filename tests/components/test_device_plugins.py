"""Each resource has one plugin, on the pools that have it, with what it must see of the machine."""

from __future__ import annotations

from typing import Any

import pulumi

from components.device_plugins import DevicePlugins, DevicePluginsArgs
from components.settings import PoolConfig

from .mocks import run


def pods(**types: str) -> dict[str, dict[str, Any]]:
    """The pods of the plugins that pools of these types need, by the plugin."""
    pools = {name: PoolConfig(instance_type=kind, desired_size=1) for name, kind in types.items()}

    def declare() -> None:
        DevicePlugins("plugins", DevicePluginsArgs(pools=pools), pulumi.ResourceOptions())

    cloud = run(lambda: declare())[0]  # type: ignore[func-returns-value]
    found = cloud.of("kubernetes:apps/v1:DaemonSet")
    return {name.removeprefix("plugins-"): one["spec"]["template"]["spec"] for name, one in found.items()}


def pools_of(pod: dict[str, Any]) -> list[str]:
    (term,) = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    return term["matchExpressions"][0]["values"]


def test_trainium_has_its_chips_and_its_fabric_counted() -> None:
    found = pods(cpu="m7i.large", trn="trn2.48xlarge", small="trn1.2xlarge")
    assert set(found) == {"neuron-device-plugin", "efa-device-plugin"}
    assert pools_of(found["neuron-device-plugin"]) == ["trn", "small"]
    assert pools_of(found["efa-device-plugin"]) == ["trn"]


def test_the_fabric_s_plugin_sees_the_machine_s_interfaces_and_neuron_s_tools() -> None:
    pod = pods(trn="trn2.48xlarge")["efa-device-plugin"]
    assert pod["hostNetwork"] is True
    paths = {volume["hostPath"]["path"]: volume["hostPath"].get("type") for volume in pod["volumes"]}
    assert paths["/opt/aws/neuron"] == "DirectoryOrCreate"
    assert paths["/dev/infiniband"] is None
    assert {mount["name"] for mount in pod["containers"][0]["volumeMounts"]} == {
        volume["name"] for volume in pod["volumes"]
    }


def test_plugins_run_on_tainted_nodes_and_those_of_cpu_pools_are_none() -> None:
    assert pods(cpu="m7i.large") == {}
    for pod in pods(gpu="p5.48xlarge", trn="trn2.48xlarge").values():
        assert pod["tolerations"] == [{"operator": "Exists"}]
        assert pod["priorityClassName"] == "system-node-critical"
