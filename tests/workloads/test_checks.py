from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import jax
import numpy as np
import pytest
from jax.sharding import Mesh
from train import checks
from train.config import Accelerator, Failure, Job, TrainConfig
from train.parallel import make_mesh


def job(chips: int | None = None, processes: int = 1) -> Job:
    accelerator = Accelerator(chips=chips, instance_type="p5.48xlarge")
    return Job(TrainConfig(), accelerator, "test", "gpu-7", processes=processes, index=0, coordinator="")


def test_a_node_with_the_devices_of_its_catalogue_row_passes() -> None:
    checks.check_devices(job(chips=jax.local_device_count()))
    checks.check_devices(job(chips=None))


def test_a_missing_device_is_told_with_node_and_both_numbers() -> None:
    with pytest.raises(Failure, match=r"node gpu-7 shows 2 devices \(cpu\), and the catalogue says 8 of p5.48xlarge"):
        checks.check_devices(job(chips=8))


@pytest.mark.parametrize("owners", [[0, 0, 1], [0, 0]])
def test_processes_with_unequal_devices_are_refused(owners: list[int]) -> None:
    devices = np.array([SimpleNamespace(process_index=owner) for owner in owners])
    with pytest.raises(Failure, match="different numbers of devices"):
        checks.check_processes(job(processes=2), cast(Mesh, SimpleNamespace(devices=devices)))


def test_the_devices_add_up_and_are_timed() -> None:
    assert 0 < checks.time_all_reduce(make_mesh(), floats=1000) < 10


def test_a_wrong_sum_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = jax.lax.psum
    wrong: Any = lambda x, axis: right(x, axis).at[3].add(1)  # noqa: E731
    monkeypatch.setattr(jax.lax, "psum", wrong)
    with pytest.raises(Failure, match="the all-reduce over 2 devices is wrong in 1 of 1000 sums"):
        checks.time_all_reduce(make_mesh(), floats=1000)
