"""Devices stand in line by process."""

from __future__ import annotations

from types import SimpleNamespace

from train.parallel.mesh import in_line


def test_devices_stand_in_line_by_process_and_in_jax_s_order_within_each() -> None:
    given = [SimpleNamespace(id=number, process_index=process) for number, process in [(3, 1), (2, 0), (0, 1), (1, 0)]]
    assert [device.id for device in in_line(given)] == [2, 1, 3, 0]
