"""A verdict with everything in it: three nodes of which one is slow, and a loss that once was no number."""

from __future__ import annotations

from typing import Any

HOSTILE = "<script>alert('x')</script>\"&"
STEPS = 30
_ROW = {"matmul_flops": 1.5e11, "memory_bytes_per_s": 1.12e10, "to_device_bytes_per_s": None,
        "store_write_bytes_per_s": 5.3e8}  # fmt: skip


def _row(node: str, health: str, slower: float, step_slower: float | None) -> dict[str, Any]:
    interval = {"slower": slower, "slower_low": slower - 0.012, "slower_high": slower + 0.011}
    return {"node": node, "health": health, **_ROW, **interval, "step_slower": step_slower}


def _own(factor: float) -> list[float | None]:
    """Some 20 ms a step, on a saw's teeth."""
    return [None, *(round(0.02 * factor + 0.0001 * (step % 4), 6) for step in range(2, STEPS + 1))]


def verdict(**changed: Any) -> dict[str, Any]:
    """As a job stores it."""
    nodes = ["ip-10-0-1-17", "ip-10-0-1-18", HOSTILE]
    losses = [round(2.5 + 3.5 * 0.85**step, 4) for step in range(STEPS)]
    found = {
        "passed": False, "reason": "ip-10-0-1-18 is slow: its products take 6.9 % longer than its peers'",
        "job": "smoke-test-0a1b2c3d4e", "processes": 3, "devices": 24, "device_kind": "cpu", "emulated": True,
        "nodes": nodes, "loss_first": 6.08, "loss_last": 2.53, "steps": STEPS, "first_step_s": 3.5,
        "tokens_per_s": 34985.3, "step_time_p50_s": 0.0245, "step_time_p95_s": 0.031, "collective_time_s": 0.00047,
        "health": "FAIL", "health_reason": "ip-10-0-1-18 is slow: its products take 6.9 % longer than its peers'",
        "node_checks": [
            _row(nodes[0], "PASS", 0.001, 0.002), _row(nodes[1], "FAIL", 0.069, 0.066),
            _row(nodes[2], "PASS", -0.004, None),
        ],
        "attention": "plain", "skipped_steps": 1, "resumed_from_step": None,
        "checkpoint": "s3://dc-checkpoints-123456789012/smoke-test/job/step_30.json",
        "started_at": "2026-11-24T18:38:40.772+00:00", "finished_at": "2026-11-24T18:38:44.774+00:00",
        "setup": {
            "instance_type": "p5en.48xlarge", "backend": "cpu", "software": {"python": "3.11.7", "jax": "0.10.2"},
            "model": "llama, 2 layers, 64 wide", "checks": "strict",
        },
        "series": {
            "steps": list(range(1, STEPS + 1)), "loss": [*losses[:9], None, *losses[10:]],
            "step_s": [None, *(round(0.024 + 0.0002 * (step % 5), 6) for step in range(2, STEPS)), 0.031],
            "workers": [{"node": nodes[n], "own_s": _own(factor)} for n, factor in enumerate((1, 1.07, 0.996))],
        },
    }  # fmt: skip
    return {**found, **changed}
