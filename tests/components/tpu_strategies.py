"""Sections of TPU slices, and what spoils one."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from components.accelerators import CATALOGUE, TPU_TYPES, InstanceType
from components.accelerators.slices import shapes, slice_of, written
from components.accelerators.tpu_zones import region_of, zones_with

Values = dict[str, Any]
_ROWS = tuple(CATALOGUE[name] for name in TPU_TYPES)
_REGIONS = ("us-central1", "us-east5", "us-south1", "europe-west4", "asia-southeast1")


def _zones(row: InstanceType, region: str) -> list[str]:
    known = zones_with(row.chip.name) if row.chip else None
    return [f"{region}-c"] if known is None else [zone for zone in known if region_of(zone) == region]


@st.composite
def tpu_pools(draw: st.DrawFn, region: str) -> Values:
    """A pool of slices that the region's zones and machines make."""
    row = draw(st.sampled_from([row for row in _ROWS if _zones(row, region)]))
    topologies = [written(shape) for shape in shapes(row) if shape[-1] <= 8]
    pool: Values = {
        "machine_type": row.name,
        "topology": draw(st.sampled_from(topologies)),
        "zone": draw(st.sampled_from(_zones(row, region))),
        "slices": draw(st.integers(1, 4)),
        "capacity": draw(st.sampled_from(["on_demand", "spot", "reservation", "flex_start"])),
    }
    if pool["capacity"] == "reservation":
        pool["reservation"] = draw(st.sampled_from(["tpus", "projects/shared-one/reservations/tpus"]))
    elif pool["capacity"] != "spot" and draw(st.booleans()):
        pool["queued"] = True
    if draw(st.booleans()):
        pool |= {"autoscaled": draw(st.booleans()), "disk_size_gb": draw(st.integers(50, 500))}
    alone = slice_of(row, pool["topology"])
    if alone and not alone.is_multi_host and not {"queued", "autoscaled"} & pool.keys():
        pool["verified"] = pool["capacity"] != "flex_start" and draw(st.booleans())
    return pool


@st.composite
def tpus(draw: st.DrawFn) -> Values:
    """A valid section."""
    region = draw(st.sampled_from(_REGIONS))
    pools = {name: draw(tpu_pools(region)) for name in ("one", "two")[: draw(st.integers(1, 2))]}
    tpu: Values = {"project": "tpu-project", "region": region, "pools": pools}
    if draw(st.booleans()):
        tpu["release_channel"] = draw(st.sampled_from(["rapid", "regular", "stable"]))
    tested = [name for name, pool in pools.items() if not pool.get("queued") and pool["capacity"] != "flex_start"]
    if tested and draw(st.booleans()):
        tpu["smoke_test"] = {"pool": tested[0], "steps": 30}
    return tpu


def broken_tpu(**changes: Any) -> Values:
    """A section with one pool that ``changes`` spoil."""
    pool = {"machine_type": "ct6e-standard-4t", "topology": "4x4", "zone": "us-east5-b"}
    return {"project": "tpu-project", "region": "us-east5", "pools": {"one": {**pool, **changes}}}
