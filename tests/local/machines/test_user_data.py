"""What a machine is told makes its node the one that is declared."""

from __future__ import annotations

import base64
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from local.addresses import NODE_PREFIX, ClusterNetwork
from local.machines import user_data
from local.machines.joining import token_id
from local.machines.keys import ensure_key
from local.machines.user_data import HostSize
from local.node_spec import NodeSpec, Taint

SPEC = NodeSpec(
    name="main-gpu-0", nodegroup="main-gpu", instance_type="m7i.large", zone="eu-central-1b", vcpus=2, memory_mib=8192,
    labels={"ai-datacenter/pool": "gpu", "node-role.kubernetes.io/worker": ""},
    taints=(Taint("nvidia.com/gpu", "present"),),
)  # fmt: skip
NETWORK = ClusterNetwork(IPv4Network("198.18.16.0/20"))


def test_a_node_offers_the_declared_size_on_a_larger_host() -> None:
    kept = user_data.reserved(SPEC, HostSize(vcpus=64, memory_mib=262_144))
    assert kept == {"cpu": "62", "memory": f"{262_144 - 8192 - 100}Mi"}


def test_a_node_on_a_smaller_host_offers_what_there_is() -> None:
    assert user_data.reserved(SPEC, HostSize(vcpus=1, memory_mib=4096)) == {"cpu": "0", "memory": "0Mi"}


def test_taints_are_there_from_the_first_moment() -> None:
    configuration = user_data.kubelet_configuration(SPEC, "198.18.16.2", HostSize.here())
    assert configuration["registerWithTaints"] == [
        {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
    ]


def test_a_kubelet_names_itself_and_sets_no_label_that_it_may_not() -> None:
    arguments = user_data.kubelet_arguments(SPEC, "198.18.16.2")
    assert "--provider-id=aws:///eu-central-1b/main-gpu-0" in arguments
    (labels,) = [argument for argument in arguments if argument.startswith("--node-labels=")]
    assert "ai-datacenter/pool=gpu" in labels
    assert "eks.amazonaws.com/nodegroup=main-gpu" in labels
    assert "topology.kubernetes.io/zone=eu-central-1b" in labels
    assert "node-role" not in labels
    assert "kubernetes.io/hostname" not in labels


def test_no_argument_holds_a_space_which_systemd_would_split() -> None:
    assert not any(" " in argument for argument in user_data.kubelet_arguments(SPEC, "198.18.16.2"))


def test_pods_ask_the_dns_of_their_own_machine() -> None:
    configuration = user_data.kubelet_configuration(SPEC, "198.18.16.2", HostSize.here())
    assert configuration["clusterDNS"] == ["198.18.16.2"]
    assert "bind 198.18.16.2" in user_data.corefile("198.18.16.2")


def test_a_node_takes_no_more_pods_than_it_has_addresses_for() -> None:
    assert 0 < user_data.MAX_PODS < 2 ** (32 - NODE_PREFIX) - 3


def test_connection_tracking_of_the_host_is_left_alone() -> None:
    conntrack = user_data.proxy_configuration(SPEC, NETWORK)["conntrack"]
    assert conntrack["maxPerCore"] == conntrack["min"] == 0


def test_the_joining_kubeconfig_holds_the_token_and_nobodys_key() -> None:
    config = user_data.joining_kubeconfig("https://198.18.0.5:20000", "PEM", "abcdef.0123456789abcdef")
    assert config["users"] == [{"name": "joining", "user": {"token": "abcdef.0123456789abcdef"}}]
    assert base64.b64decode(config["clusters"][0]["cluster"]["certificate-authority-data"]) == b"PEM"


@pytest.mark.parametrize("name", ["main-gpu-0", "x" * 65])
def test_a_tokens_name_is_one_that_kubernetes_takes(name: str) -> None:
    assert len(token_id(name)) == 6
    assert token_id(name).isalnum()


def test_a_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "key"
    public = ensure_key(path)
    assert public.startswith("ssh-ed25519 ")
    assert ensure_key(path) == public == path.with_name("key.pub").read_text().strip()
    assert path.stat().st_mode & 0o777 == 0o600
    serialization.load_ssh_private_key(path.read_bytes(), None)


def test_a_key_that_a_kill_left_half_written_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("-----BEGIN OPENSSH PRI")
    assert ensure_key(tmp_path / "key").startswith("ssh-ed25519 ")
