"""Pools whose nodes Karpenter makes, in generated stack files."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from components.accelerators import CATALOGUE, is_sold_in
from components.settings.karpenter import INFERENCE_TYPES

Values = dict[str, Any]
_LABELS = st.dictionaries(st.from_regex(r"example\.com/[a-z]{1,10}", fullmatch=True), st.just("z"), max_size=2)
_TAINTS = st.lists(st.fixed_dictionaries({"key": st.just("team")}, optional={"value": st.just("z")}), max_size=1)
_BUDGET = st.sampled_from([
    {"nodes": "10%"}, {"nodes": "0", "schedule": "0 8 * * MON-FRI", "duration_minutes": 600},
    {"nodes": "3", "reasons": ["empty", "drifted"]},
])  # fmt: skip
_DISRUPTION = st.fixed_dictionaries(
    {},
    optional={
        "consolidation": st.sampled_from(["when_empty", "when_empty_or_underutilized"]),
        "consolidate_after_s": st.integers(0, 86_400),
        "budgets": st.lists(_BUDGET, max_size=3),
    },
)
_OPTIONAL = {
    "capacities": st.lists(st.sampled_from(["spot", "on_demand"]), min_size=1, unique=True),
    "disruption": _DISRUPTION,
    "expire_hours": st.none() | st.integers(1, 87_600),
    "drain_minutes": st.integers(1, 44_640),
    "weight": st.integers(1, 100),
    "disk_size_gb": st.integers(20, 16_384),
    "ami_release": st.just("1.34.1-20251001"),
    "max_pods": st.integers(4, 29),
    "labels": _LABELS,
    "taints": _TAINTS,
}


@st.composite
def _pools(draw: st.DrawFn, region: str) -> Values:
    """A pool of types that the region sells, all of one kind, with room for a node."""
    sold = [CATALOGUE[name] for name in INFERENCE_TYPES if is_sold_in(region, name)]
    kind = draw(st.sampled_from(sorted({row.vendor for row in sold})))
    rows = draw(st.lists(st.sampled_from([row for row in sold if row.vendor is kind]), min_size=1, unique=True))
    least = max(row.vcpus for row in rows)
    limits: Values = {"cpus": draw(st.integers(least, 10_000))}
    if rows[0].chips and draw(st.booleans()):
        limits["chips"] = draw(st.integers(max(row.chips for row in rows), 1000))
    pool = {"instance_types": [row.name for row in rows], "limits": limits}
    if not rows[0].chips and draw(st.booleans()):
        pool = {"families": sorted({row.family for row in rows}), "max_cpus": least, "limits": limits}
    if not rows[0].chips:
        pool["verified"] = draw(st.booleans())
    return pool | draw(st.fixed_dictionaries({}, optional=_OPTIONAL))


def has_room(pools: Values) -> bool:
    """Whether the pools have nodes for both replicas of Karpenter itself."""
    open_ = [pool for pool in pools.values() if not pool.get("taints")]
    return sum(pool["desired_size"] for pool in open_ if not CATALOGUE[pool["instance_type"]].chips) >= 2


def karpenters(region: str) -> st.SearchStrategy[Values]:
    """The section, of a stack that has room for it."""
    pools = st.dictionaries(st.sampled_from(["kp-a", "kp-b", "kp-c"]), _pools(region), min_size=1)
    return st.fixed_dictionaries({"pools": pools}, optional={"installed": st.just("1.14")})
