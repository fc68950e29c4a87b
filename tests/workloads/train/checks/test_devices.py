from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import jax
import numpy as np
import pytest
from jax.sharding import Mesh
from train.checks import devices
from train.config.failure import Failure
from train.config.job import Accelerator, Chip, Job
from train.config.settings import TrainConfig


def job(chips: int | None = None, processes: int = 1, chip: str = "") -> Job:
    accelerator = Accelerator(chips=chips, instance_type="p5.48xlarge", vendor="nvidia", chip=Chip(name=chip))
    return Job(TrainConfig(), accelerator, "test", "gpu-7", processes=processes, index=0, coordinator="")


def test_a_node_with_the_devices_of_its_catalogue_row_passes() -> None:
    devices.check_devices(job(chips=jax.local_device_count()))
    devices.check_devices(job(chips=None))


def test_a_missing_device_is_told_with_node_and_both_numbers() -> None:
    with pytest.raises(Failure, match=r"node gpu-7 shows 2 devices \(cpu\), and the catalogue says 8 of p5.48xlarge"):
        devices.check_devices(job(chips=8))


def test_another_chip_than_the_catalogue_s_is_told() -> None:
    with pytest.raises(Failure, match=r"node gpu-7 has cpu, and the catalogue says H100 of p5.48xlarge"):
        devices.check_devices(job(chips=2, chip="H100"))


def test_of_cpus_that_stand_in_for_chips_only_the_number_is_compared() -> None:
    devices.check_devices(replace(job(chips=2, chip="H100"), emulated_devices=2))
    with pytest.raises(Failure, match="shows 2 devices"):
        devices.check_devices(replace(job(chips=8, chip="H100"), emulated_devices=8))


@pytest.mark.parametrize(
    ("chip", "kind", "same"),
    [
        ("H100", "NVIDIA H100 80GB HBM3", True),
        ("A100 40GB", "NVIDIA A100-SXM4-40GB", True),
        ("L4", "NVIDIA L4", True),
        ("L4", "NVIDIA L40S", False),
        ("B200", "NVIDIA GB200", False),
        ("TPU v5e", "TPU v5 lite", True),
        ("TPU v5e", "TPU v5", False),
        ("", "anything", True),
    ],
)
def test_a_device_is_known_by_its_own_name(chip: str, kind: str, same: bool) -> None:
    assert devices.is_kind(Accelerator(vendor="nvidia", chip=Chip(name=chip)), kind) is same


def test_of_a_plugin_that_names_no_chip_nothing_is_claimed() -> None:
    assert devices.is_kind(Accelerator(vendor="neuron", chip=Chip(name="Trainium2")), "NC_v3")


@pytest.mark.parametrize("owners", [[0, 0, 1], [0, 0]])
def test_processes_with_unequal_devices_are_refused(owners: list[int]) -> None:
    held = np.array([SimpleNamespace(process_index=owner) for owner in owners])
    with pytest.raises(Failure, match="different numbers of devices"):
        devices.check_processes(job(processes=2), cast(Mesh, SimpleNamespace(devices=held)))


def test_a_gpu_s_memory_is_told_whole_though_xla_takes_three_quarters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XLA_PYTHON_CLIENT_MEM_FRACTION", raising=False)
    gpu = SimpleNamespace(platform="gpu", memory_stats=lambda: {"bytes_limit": 60})
    assert devices.device_memory_bytes(gpu) == 80
    assert devices.device_memory_bytes(SimpleNamespace(platform="cpu", memory_stats=lambda: None)) is None


def test_a_plugin_that_refuses_to_tell_memory_has_not_told_it() -> None:
    def refuse() -> None:
        raise jax.errors.JaxRuntimeError("INTERNAL: not supported")

    assert devices.device_memory_bytes(SimpleNamespace(platform="neuron", memory_stats=refuse)) is None
