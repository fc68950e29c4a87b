"""The storage of generated stack files: file systems, disks, locks and datasets that their places can keep."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from components.accelerators import CATALOGUE
from components.settings import PROJECT, RETENTION_DAYS

Values = dict[str, Any]
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,18}[a-z0-9]", fullmatch=True)
OWNERS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 _.:/=+@-]{0,20}", fullmatch=True)
EVENTS = st.lists(st.sampled_from(["new", "changed", "deleted"]), max_size=3, unique=True)
_EFA_STEPS = {125: 38_400, 250: 19_200, 500: 9_600, 1000: 4_800}
_MINUTES = {"s3": 15, "efs": 15}


def some(draw: st.DrawFn, fields: dict[str, st.SearchStrategy[Any]]) -> Values:
    """Each of the fields or not, as a file may leave it to its default."""
    return {name: draw(strategy) for name, strategy in fields.items() if draw(st.booleans())}


@st.composite
def lustres(draw: st.DrawFn, zones: list[str], pools: list[Values]) -> Values:
    """A Lustre file system where accelerators can read it."""
    homes = [pool.get("zone") for pool in pools if CATALOGUE[pool["instance_type"]].chips]
    zone = draw(st.sampled_from(zones if not homes or None in homes else sorted(filter(None, homes))))
    system: Values = {"zone": zone} | some(draw, {"compression": st.booleans()})
    if draw(st.booleans()):
        system["link"] = some(draw, {"import_events": EVENTS, "export_events": EVENTS, "prefix": st.just("tokens/")})
    steps = draw(st.integers(1, 20))
    if draw(st.booleans()):
        return system | {"deployment": "scratch_2", "capacity_gib": draw(st.sampled_from([1200, steps * 2400]))}
    throughput = draw(st.sampled_from(sorted(_EFA_STEPS)))
    here = [pool for pool in pools if pool.get("zone") == zone]
    adapters = [pool.get("efa_interfaces", CATALOGUE[pool["instance_type"]].efa_interfaces) for pool in here]
    efa = any(adapters) and draw(st.booleans())
    size = steps * (_EFA_STEPS[throughput] if efa else 2400)
    more = some(draw, {"metadata_iops": st.sampled_from([1500, 12_000, 192_000]), "efa": st.just(efa)})
    if "link" not in system:
        more |= some(draw, {"backup_retention_days": st.integers(0, 90)})
    bought = {"capacity_gib": size, "throughput_mb_s_per_tib": throughput, "efa": efa}
    return system | more | bought | some(draw, {"log_retention_days": st.sampled_from(RETENTION_DAYS)})


def efss() -> st.SearchStrategy[Values]:
    """An EFS file system."""
    point = st.fixed_dictionaries({"path": st.just("/home")}, optional={"uid": st.integers(1, 2**32 - 1)})
    return st.fixed_dictionaries(
        {},
        optional={
            "infrequent_days": st.sampled_from([None, 1, 30]),
            "daily_backup": st.booleans(),
            "throughput": st.sampled_from(["elastic", "bursting"]),
            "access_points": st.dictionaries(NAMES, point, max_size=2),
        },
    )


def disks() -> st.SearchStrategy[Values]:
    """A class of disks."""
    return st.one_of(
        st.fixed_dictionaries({}, optional={"iops": st.integers(3000, 80_000), "retain": st.booleans()}),
        st.fixed_dictionaries({"type": st.just("io2"), "iops": st.integers(100, 256_000)}),
        st.fixed_dictionaries({"type": st.sampled_from(["st1", "sc1"])}),
        st.fixed_dictionaries({"iops": st.just(8000), "throughput_mib_s": st.integers(125, 2000)}),
    )


@st.composite
def datasets(draw: st.DrawFn, lustre: list[str], efs: list[str], copied: Values | None) -> Values:
    """A dataset; promised something where it is copied, and on Lustre nothing: that depends on the file system."""
    kinds = ["s3", *(["fsx"] if lustre else []), *(["efs"] if efs else [])]
    kind = draw(st.sampled_from(kinds))
    places = {"s3": ["data", "checkpoints"], "fsx": lustre, "efs": efs}
    place = draw(st.sampled_from(places[kind]))
    dataset: Values = {"kind": kind, "place": place, "owner": draw(OWNERS)}
    key, absent = {"s3": ("buckets", places["s3"]), "efs": ("file_systems", efs), "fsx": ("", [])}[kind]
    is_copied = copied is not None and place in copied.get(key, absent)
    if not is_copied or draw(st.booleans()):
        return dataset | {"class": draw(st.sampled_from(["reproducible", "scratch"]))}
    rpo = draw(st.integers(_MINUTES[kind], 10_000))
    kept = draw(st.sampled_from(["critical", "important"]))
    return dataset | {"class": kept, "rpo_minutes": rpo, "rto_minutes": draw(st.integers(1, 10_000))}


@st.composite
def storages(draw: st.DrawFn, zones: list[str], pools: list[Values], copied: Values | None) -> Values:
    """Top-level keys for storage, some or none; Lustre only where the zones have names; ``copied``: replication."""
    found = some(draw, {"efs": st.dictionaries(NAMES, efss(), max_size=2), "ebs": st.dictionaries(NAMES, disks())})
    if zones:
        found |= some(draw, {"lustre": st.dictionaries(NAMES, lustres(zones, pools), max_size=2)})
    of = datasets(list(found.get("lustre", {})), list(found.get("efs", {})), copied)
    days = st.integers(1, 36_500)
    lock = st.fixed_dictionaries({"days": days}, optional={"buckets": st.just(["data"])})
    found |= some(
        draw,
        {
            "storage": st.fixed_dictionaries(
                {},
                optional={
                    "noncurrent_days": days,
                    "data_intelligent_tiering": st.booleans(),
                    "object_lock": lock,
                    "datasets": st.dictionaries(NAMES, of, max_size=4),
                },
            )
        },
    )
    return {f"{PROJECT}:{name}": value for name, value in found.items()}
