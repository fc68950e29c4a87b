"""Every type of the catalogue: a node as it is meant to be passes the checks, told the row that pods really get."""

from __future__ import annotations

import json
from typing import Any

import jax
import pytest
from train.checks import devices, floors, health
from train.checks.health import Figures
from train.config.job import Accelerator, Job
from train.config.settings import TrainConfig

from components import smoke_test_pod, tpu_smoke_test_pod
from components.accelerators import CATALOGUE, Capacity, InstanceType
from components.accelerators.slices import shapes, written
from components.settings import PoolConfig, SmokeTestConfig, TpuPoolConfig

# What JAX shows, by the chip's name in the catalogue: its own name, and how many are one chip. Of Neuron's, from its
# documentation: trn1.32xlarge shows 32, trn2.48xlarge 64.
SHOWN = {
    "A10G": ("NVIDIA A10G", 1),
    "L4": ("NVIDIA L4", 1),
    "L40S": ("NVIDIA L40S", 1),
    "A100 40GB": ("NVIDIA A100-SXM4-40GB", 1),
    "A100 80GB": ("NVIDIA A100-SXM4-80GB", 1),
    "H100": ("NVIDIA H100 80GB HBM3", 1),
    "H200": ("NVIDIA H200", 1),
    "B200": ("NVIDIA B200", 1),
    "B300": ("NVIDIA B300 SXM6 AC", 1),
    "GB200": ("NVIDIA GB200", 1),
    "Trainium": ("NC_v2", 2),
    "Trainium2": ("NC_v3", 4),
    "TPU v5e": ("TPU v5 lite", 1),
    "TPU v5p": ("TPU v5", 1),
    "TPU v6e": ("TPU v6 lite", 1),
    "TPU7x": ("TPU7x", 2),
}
BUCKETS = smoke_test_pod.Buckets("checkpoints", "verdicts")
ACCELERATED = [name for name, row in CATALOGUE.items() if row.chip]


def told(machine: InstanceType) -> Accelerator:
    """The row in the environment of the smoke test's pods on such nodes."""
    test = SmokeTestConfig(pool="chips")
    if machine.gke_accelerator:
        pool = TpuPoolConfig(machine_type=machine.name, topology=written(shapes(machine)[0]), zone="us-east5-a")
        where: dict[str, Any] = {"role_arn": "", "region": ""}
        pod = tpu_smoke_test_pod.template(
            test, pool, "job", "node-pool", account="a", namespace="n", image="i", buckets=BUCKETS, **where
        )
    else:
        reserved = {"capacity": "capacity_block", "capacity_reservation_id": "cr-0123456789abcdef0"}
        bought: dict[str, Any] = {} if Capacity.ON_DEMAND in machine.capacities else reserved
        pool = PoolConfig(instance_type=machine.name, desired_size=1, efa_interfaces=0, **bought)
        pod = smoke_test_pod.template(test, pool, "job", "n", "a", image="i", buckets=BUCKETS)
    environment = {one["name"]: one.get("value") for one in pod["spec"]["containers"][0]["env"]}
    return Accelerator.model_validate(json.loads(environment["ACCELERATOR"]))


def figures(machine: InstanceType, count: int, part: float) -> Figures:
    """What a node measures whose devices have this part of the numbers that are published of their chips."""
    chip = machine.chip
    assert chip
    share = part * machine.chips / count
    return Figures(
        node="node", devices=count, device_kind="", host_memory_bytes=machine.memory_gib << 30,
        device_memory_bytes=share * chip.memory_gib * 2**30, digests=("a",) * count, wrong_devices=(),
        matmul_flops=share * chip.peak_bf16_flops, memory_bytes_per_s=share * chip.memory_bytes_per_s,
        to_device_bytes_per_s=None, from_device_bytes_per_s=None, store_write_bytes_per_s=None,
        store_read_bytes_per_s=None,
    )  # fmt: skip


def show(monkeypatch: pytest.MonkeyPatch, kind: str, count: int) -> None:
    device = type("Device", (), {"device_kind": kind})
    monkeypatch.setattr(jax, "local_devices", lambda: [device] * count)
    monkeypatch.setattr(jax, "local_device_count", lambda: count)


@pytest.mark.parametrize("name", ACCELERATED)
def test_a_node_that_is_as_published_passes_and_one_with_half_of_it_does_not(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = CATALOGUE[name]
    assert machine.chip
    kind, of_a_chip = SHOWN[machine.chip.name]
    count, row = of_a_chip * machine.chips, told(machine)
    show(monkeypatch, kind, count)
    devices.check_devices(Job(TrainConfig(), row, "job", "node", processes=1, index=0, coordinator=""))
    least = floors.of(row, count)
    assert None not in (least.matmul_flops, least.memory_bytes_per_s, least.device_memory_bytes)
    assert health.judge_figures(figures(machine, count, 0.95), least) == []
    found = health.judge_figures(figures(machine, count, 0.45), least)
    assert len(found) == 3, "memory, products and bandwidth are each too little"


@pytest.mark.parametrize("name", ACCELERATED)
def test_one_machine_s_cpus_stand_in_for_as_many_chips_as_pods_ask_for(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = CATALOGUE[name]
    show(monkeypatch, "cpu", machine.chips)
    job = Job(TrainConfig(), told(machine), "job", "node", 1, 0, "", emulated_devices=machine.chips)
    devices.check_devices(job)
