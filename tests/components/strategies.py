"""Stack files by the thousand: valid ones, and ones that one change has spoilt."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from components.accelerators import CATALOGUE, EC2_TYPES, Capacity, InstanceType, Vendor, is_sold_in, zones_of
from components.settings import KUBERNETES_VERSIONS, PROJECT, REGIONS, RETENTION_DAYS, ZONES

from .backup_strategies import backups
from .guard_strategies import alerts, securities
from .karpenter_strategies import has_room, karpenters
from .pipeline_strategies import pipelines
from .storage_strategies import storages
from .tpu_strategies import broken_tpu, tpus

Values = dict[str, Any]
RESERVATION = "cr-0123456789abcdef0"
NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,18}[a-z0-9]", fullmatch=True)
ACCOUNTS = st.from_regex(r"[0-9]{12}", fullmatch=True)
DAYS = st.sampled_from(RETENTION_DAYS)
LABELS = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,10}[A-Za-z0-9])?", fullmatch=True)
TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S"), include_characters=" "), max_size=20)
SERVICES = ("ec2", "ecr.api", "ecr.dkr", "sts", "ssm", "ssmmessages", "fsx", "elasticfilesystem", "logs")
_PEERS = ("192.168.0.0/16", "100.64.0.0/10", "172.16.8.0/21")
_LOOK_ALIKES = str.maketrans("aeopcx", "\u0430\u0435\u043e\u0440\u0441\u0445")

NODE_REPAIRS = st.fixed_dictionaries(
    {}, optional={"max_parallel_nodes": st.integers(1, 5), "max_unhealthy_percent": st.integers(1, 100)}
)
WARM_POOLS = st.fixed_dictionaries(
    {"min_size": st.integers(1, 9)}, optional={"state": st.sampled_from(["stopped", "running"])}
)
CALENDARS = st.fixed_dictionaries(
    {"end": st.sampled_from(["2026-12-15T11:30:00Z", "2027-02-28T12:30+01:00"])},
    optional={"drain_minutes": st.integers(45, 1440)},
)


def stack_text(values: Values) -> str:
    """The values as a stack file; JSON is YAML, and quotes every text."""
    return "config:\n" + "".join(f"  {key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())


def _some(draw: st.DrawFn, fields: dict[str, st.SearchStrategy[Any]]) -> Values:
    """Each of the fields or not, as a file may leave it to its default."""
    return {name: draw(strategy) for name, strategy in fields.items() if draw(st.booleans())}


def sold_in(region: str) -> list[InstanceType]:
    """The types that a pool of the region may have."""
    rows = [CATALOGUE[name] for name in EC2_TYPES]
    known = [row for row in rows if row.first_efa_card is not None]
    return [row for row in known if is_sold_in(region, row.name)]


REGIONS_WITH_TYPES = [
    region for region in REGIONS if sold_in(region) and len(zones_of(region) or range(ZONES)) >= ZONES
]


@st.composite
def networks(draw: st.DrawFn, region: str) -> Values:
    """A network of the region; ranges of peers lie outside 10.0.0.0/8, where the VPC is."""
    prefix = draw(st.integers(16, 20))
    third = draw(st.integers(0, 2 ** (prefix - 16) - 1)) << (24 - prefix)
    network: Values = {"cidr": f"10.{draw(st.integers(0, 255))}.{third}.0/{prefix}"}
    network |= _some(
        draw,
        {
            "nat": st.sampled_from(["one", "per_zone"]),
            "ipv6": st.booleans(),
            "dedicated_subnets": st.sampled_from([[], ["storage"]]),
            "endpoint_access": st.sampled_from(["any_account", "own_account"]),
            "reserved_cidrs": st.lists(st.sampled_from(_PEERS), max_size=3),
            "interface_endpoints": st.booleans(),
            "flow_log_retention_days": DAYS,
        },
    )
    if network.get("interface_endpoints", True):
        network |= _some(draw, {"endpoint_services": st.lists(st.sampled_from(SERVICES), min_size=1, unique=True)})
    known = zones_of(region) or ()
    if len(known) >= ZONES and draw(st.booleans()):
        network["zones"] = draw(st.permutations(known))[:ZONES]
    return network


@st.composite
def pools(draw: st.DrawFn, region: str, zones: list[str]) -> Values:
    """A pool that the region's types, the network's zones and its reservation have room for."""
    row = draw(st.sampled_from(sold_in(region)))
    capacity = draw(st.sampled_from(sorted(row.capacities)))
    desired = draw(st.integers(1, 100))
    pool: Values = {"instance_type": row.name, "desired_size": desired, "capacity": capacity.value}
    pool |= _some(
        draw,
        {
            "min_size": st.integers(0, desired),
            "max_size": st.integers(desired, 200),
            "disk_size_gb": st.integers(20, 16384),
            "max_unavailable": st.integers(1, 100),
            "efa_interfaces": st.integers(0, row.efa_interfaces),
            "labels": st.dictionaries(LABELS, LABELS, max_size=3),
            "taints": st.lists(st.fixed_dictionaries({"key": LABELS}, optional={"value": LABELS}), max_size=2),
            "ami_release": st.just("1.34.1-20251001"),
            "verified": st.just(False) if row.vendor is Vendor.NEURON else st.booleans(),
        },
    )
    if pool.get("max_size", desired) > pool.get("min_size", 0):
        pool |= _some(draw, {"autoscaled": st.booleans()})
    pool |= _some(draw, {"node_repair": NODE_REPAIRS})
    if pool.get("autoscaled") and not row.chips and capacity is Capacity.ON_DEMAND:
        pool |= _some(draw, {"warm_pool": WARM_POOLS})
    may_reserve = capacity is Capacity.ON_DEMAND and "warm_pool" not in pool
    reserved = capacity is Capacity.CAPACITY_BLOCK or (may_reserve and draw(st.booleans()))
    if reserved:
        pool["capacity_reservation_id"] = RESERVATION
        pool |= _some(draw, {"update_strategy": st.just("minimal")})
    if zones and draw(st.booleans()):
        pool["zone"] = draw(st.sampled_from(zones))
        pool["placement_group"] = not reserved and draw(st.booleans())
    if capacity is Capacity.CAPACITY_BLOCK and "zone" in pool and not pool.get("autoscaled"):
        pool |= _some(draw, {"calendar": CALENDARS})
        pool["min_size"] = 0 if "calendar" in pool else pool.get("min_size", 0)
    most = row.max_pods(pool.get("efa_interfaces", row.efa_interfaces))
    return pool | _some(draw, {"max_pods": st.integers(4, most or 110)})


@st.composite
def stacks(draw: st.DrawFn) -> Values:
    """A valid stack file's values, by its keys."""
    region = draw(st.sampled_from(REGIONS_WITH_TYPES))
    network = draw(networks(region))
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    declared = {name: draw(pools(region, network.get("zones", []))) for name in names}
    values = {
        "aws:region": region,
        "aws:allowedAccountIds": draw(st.lists(ACCOUNTS, min_size=1, max_size=3)),
        f"{PROJECT}:name": draw(NAMES),
        f"{PROJECT}:network": network,
        f"{PROJECT}:pools": declared,
        f"{PROJECT}:smoke_test": {
            "pool": draw(st.sampled_from(names)),
            **_some(draw, {"steps": st.integers(2, 100_000), "seed": st.integers(0, 2**31 - 1)}),
            **_some(draw, {"tolerated_percent": st.integers(2, 40).map(lambda half: half / 2)}),
        },
    }
    recovery = _some(draw, {"recovery": recoveries(region)})
    copied = recovery.get("recovery", {}).get("replication")
    values |= draw(storages(network.get("zones", []), list(declared.values()), copied))
    balancer = _some(draw, {"load_balancer": load_balancers()})
    if balancer.get("load_balancer", {}).get("domain_name"):
        balancer |= _some(draw, {"failover": failovers(bool(recovery))})
    optional = {
        "retain_data": st.booleans(),
        "tags": st.dictionaries(LABELS, TEXT, max_size=3),
        "cluster": clusters(),
        "tpu": tpus(),
        "data_pipeline": pipelines(values),
        "alerts": alerts(),
        "security": securities(values["aws:allowedAccountIds"]),
    }
    if has_room(declared):
        optional["karpenter"] = karpenters(region)
    if draw(st.booleans()):
        values[f"{PROJECT}:scheduling"] = draw(schedulings(declared))
    chosen = _some(draw, optional) | recovery | balancer
    values |= {f"{PROJECT}:{name}": value for name, value in chosen.items()}
    if draw(st.booleans()) and (plans := draw(backups(values))):
        values[f"{PROJECT}:backup"] = plans
    return values


def clusters() -> st.SearchStrategy[Values]:
    """A cluster section whose services lie apart from every network that :func:`networks` makes."""
    return st.fixed_dictionaries(
        {},
        optional={
            "version": st.sampled_from(KUBERNETES_VERSIONS),
            "service_cidr": st.sampled_from(["172.20.0.0/16", "172.24.0.0/14"]),
            "public_access_cidrs": st.lists(st.sampled_from(["203.0.113.0/24", "198.51.100.7/32"]), max_size=2),
            "log_retention_days": DAYS,
        },
    )


@st.composite
def schedulings(draw: st.DrawFn, pools: Values) -> Values:
    """Teams that share what the pools may have, or less, and priorities below the system's."""
    names = draw(st.lists(NAMES.map(lambda name: f"t-{name[:10]}z"), max_size=3, unique=True))
    left = {name: pool.get("max_size", pool["desired_size"]) for name, pool in pools.items()}
    teams: Values = {}
    for team in names:
        quotas: Values = {}
        for pool in draw(st.lists(st.sampled_from(sorted(left)), min_size=1, unique=True)):
            nodes = draw(st.integers(0, left[pool]))
            left[pool] -= nodes
            chips = CATALOGUE[pools[pool]["instance_type"]].chips
            quotas[pool] = {"chips": nodes * chips} if chips and draw(st.booleans()) else {"nodes": nodes}
        options = {"borrows": st.booleans(), "lends": st.booleans(), "max_pods": st.integers(1, 1000)}
        teams[team] = {"quotas": quotas, **_some(draw, options)}
    values = st.fixed_dictionaries({"value": st.integers(-1000, 10**9)}, optional={"preempts": st.booleans()})
    scheduling: Values = {"teams": teams, "priorities": draw(st.dictionaries(st.just("urgent"), values))}
    if draw(st.booleans()):
        scheduling |= {"kueue": "0.17", **_some(draw, {"topology": st.booleans()})}
    return scheduling


def recoveries(region: str) -> st.SearchStrategy[Values]:
    """A recovery region, whose range no other section has."""
    regions = st.sampled_from([one for one in REGIONS if one != region and len(zones_of(one) or range(ZONES)) >= ZONES])
    cidrs = st.sampled_from(["172.16.16.0/20", "192.169.0.0/16"])
    buckets = st.lists(st.sampled_from(["data", "checkpoints"]), unique=True)
    file_systems: st.SearchStrategy[list[str]] = st.just([])
    choices = {"delete_markers": st.booleans(), "images": st.booleans()}
    replication = st.fixed_dictionaries({}, optional={"buckets": buckets, "file_systems": file_systems, **choices})
    optional = {"multi_region_key": st.booleans(), "replication": replication}
    return st.fixed_dictionaries({"region": regions, "cidr": cidrs}, optional=optional)


@st.composite
def failovers(draw: st.DrawFn, has_recovery: bool) -> Values:
    """A failover of a load balancer with a name that not everybody may connect to; needs no recovery region."""
    failover = _some(draw, {"checks": st.just(["targets"]), "healthy_checks": st.just(1)})
    if has_recovery and draw(st.booleans()):
        return failover
    return failover | {"standby_dns_name": "standby.example.net"} | _some(draw, {"ttl_s": st.integers(1, 86_400)})


@st.composite
def load_balancers(draw: st.DrawFn) -> Values:
    """A load balancer of either kind, with what its kind can do."""
    kind = draw(st.sampled_from(["network", "application"]))
    balancer: Values = {"kind": kind}
    is_named = draw(st.booleans())
    if is_named:
        balancer |= {"domain_name": "llm.example.com", "zone_id": "Z0123456789ABC"}
        balancer |= _some(draw, {"scheme": st.just("internet_facing")})
        balancer["allowed_cidrs"] = ["203.0.113.0/24"]
    if kind == "application":
        balancer |= _some(draw, {"waf": st.booleans(), "idle_timeout_s": st.integers(1, 4000)})
        check: dict[str, st.SearchStrategy[Any]] = {"path": st.just("/ready"), "protocol": st.just("https")}
    else:
        balancer |= {} if is_named else _some(draw, {"idle_timeout_s": st.integers(60, 6000)})
        check = {"protocol": st.just("tcp")}
    times = {"interval_s": st.integers(30, 300), "timeout_s": st.integers(2, 14)}
    ports = {"port": st.integers(1024, 65_535), "target_port": st.integers(1, 65_535)}
    return balancer | _some(draw, ports) | {"health_check": _some(draw, {**check, **times})}


@dataclass(frozen=True)
class Broken:
    """A stack file that one change has spoilt, and what was changed."""

    text: str
    change: str


def _pool(values: Values) -> Values:
    return next(iter(values[f"{PROJECT}:pools"].values()))


def _set(path: str, value: Any) -> Callable[[Values], None]:
    """A change: the value at ``path`` below a pool, or below a top-level key."""

    def change(values: Values) -> None:
        key, _, field = path.rpartition("/")
        holder = _pool(values) if key == "pool" else values[key] if key else values
        holder[field] = value

    return change


def _remove(path: str) -> Callable[[Values], None]:
    def change(values: Values) -> None:
        key, _, field = path.rpartition("/")
        (_pool(values) if key == "pool" else values[key] if key else values).pop(field, None)

    return change


def _set_top(name: str, value: Any) -> Callable[[Values], None]:
    return _set(f"{PROJECT}:{name}", value)


def _set_storage(field: str, value: Any) -> Callable[[Values], None]:
    return _set_top("storage", {field: value})


_TRANSFER = {"s3": {"bucket": "corp-data", "region": "eu-west-1", "account_id": "000000000000"}, "prefix": "raw/"}


def _set_pipeline(migrations: Values) -> Callable[[Values], None]:
    return _set_top("data_pipeline", {"migrations": migrations})


def _overlap(values: Values) -> None:
    network = values[f"{PROJECT}:network"]
    network["reserved_cidrs"] = [network["cidr"]]


def _look_alike(values: Values) -> None:
    values["aws:region"] = values["aws:region"].translate(_LOOK_ALIKES)


_NETWORK, _SMOKE_TEST = f"{PROJECT}:network", f"{PROJECT}:smoke_test"
_REQUIRED = ("aws:region", "aws:allowedAccountIds", f"{PROJECT}:name", f"{PROJECT}:pools", _NETWORK, _SMOKE_TEST,
             f"{_NETWORK}/cidr", f"{_SMOKE_TEST}/pool", "pool/desired_size")  # fmt: skip
_PLACES = (f"{PROJECT}:", f"{_NETWORK}/", "pool/")
_JUNK = st.sampled_from([None, [], {}, -1, 1.5, True, "", "maybe", "\u200b", "NaN", [[]], 10**30, "x" * 500])
CHANGES: dict[str, st.SearchStrategy[Callable[[Values], None]]] = {
    "a required key is gone": st.sampled_from([_remove(path) for path in _REQUIRED]),
    "a key that nothing has": NAMES.flatmap(
        lambda name: st.sampled_from([_set(f"{place}x{name}x", 1) for place in _PLACES])
    ),
    "junk for a number": _JUNK.map(lambda junk: _set("pool/desired_size", junk)),
    "junk for a choice": _JUNK.map(lambda junk: _set("pool/instance_type", junk)),
    "junk for a range": _JUNK.map(lambda junk: _set(f"{_NETWORK}/cidr", junk)),
    "junk for a region": _JUNK.map(lambda junk: _set("aws:region", junk)),
    "junk for a section": _JUNK.filter(lambda junk: junk != {}).map(lambda junk: _set(f"{PROJECT}:pools", junk)),
    "junk for a list": _JUNK.filter(lambda junk: junk is not None and junk != []).map(
        lambda junk: _set("pool/taints", junk)
    ),
    "a misspelled choice": st.just(_set("pool/instance_type", "p5en.48xlargee")),
    "too few zones": st.just(_set(f"{_NETWORK}/zones", ["us-east-1a"])),
    "a zone that is nowhere": st.just(_set("pool/zone", "mars-north-1a")),
    "more than the most": st.just(lambda values: _pool(values).update(desired_size=9, max_size=3)),
    "more adapters than there are": st.just(_set("pool/efa_interfaces", 64)),
    "more pods than addresses": st.just(_set("pool/max_pods", 1000)),
    "a pool that is not there": st.just(_set(f"{_SMOKE_TEST}/pool", "nowhere")),
    "a dataset in no file system": st.just(_set_storage("datasets", {"aa": {"kind": "efs", "class": "scratch"}})),
    "a recovery point below the promise": st.just(
        _set_storage("datasets", {"aa": {"kind": "s3", "class": "scratch", "owner": "ml", "rpo_minutes": 1}})
    ),
    "junk for datasets": _JUNK.filter(lambda junk: junk != {}).map(lambda junk: _set_storage("datasets", junk)),
    "junk for a lock": _JUNK.filter(lambda junk: junk is not None).map(lambda junk: _set_storage("object_lock", junk)),
    "junk for a file system": _JUNK.map(lambda junk: _set_top("lustre", {"aa": junk})),
    "a capacity that nobody sells": st.just(
        _set_top("lustre", {"aa": {"capacity_gib": 1300, "deployment": "scratch_2", "zone": "us-east-1a"}})
    ),
    "a replica of what is not there": st.just(
        lambda values: values.update({f"{PROJECT}:recovery": {"replication": {"file_systems": ["nowhere-at-all"]}}})
    ),
    "a failover of nothing": st.just(
        lambda values: (values.pop(f"{PROJECT}:load_balancer", None), values.update({f"{PROJECT}:failover": {}}))[1]
    ),
    "junk for a failover": _JUNK.filter(lambda junk: junk is not None and junk != {}).map(
        lambda junk: _set_top("failover", junk)
    ),
    "a topology that nothing makes": st.sampled_from(["4x5", "2x2x4", "0x4", "x", "4", "4x4x4x4", 44, None, "4×4"]).map(
        lambda topology: _set_top("tpu", broken_tpu(topology=topology))
    ),
    "TPUs where there are none": st.sampled_from(["us-east5-z", "mars-north1-a", "us-east1-d", ""]).map(
        lambda zone: _set_top("tpu", broken_tpu(zone=zone))
    ),
    "junk for TPUs": _JUNK.filter(lambda junk: junk is not None).map(lambda junk: _set_top("tpu", junk)),
    "a backup for longer than it can be": st.just(
        _set_top("backup", {"plans": {"aa": {"rules": {"aa": {"continuous": True, "retention_days": 36}}}}})
    ),
    "a lock that does not say that it is final": st.just(
        _set_top("backup", {"lock": {"mode": "compliance", "min_retention_days": 1, "changeable_days": 3}, "plans": {}})
    ),
    "junk for backups": _JUNK.filter(lambda junk: junk is not None).map(lambda junk: _set_top("backup", junk)),
    "two transfers into one place": st.just(_set_pipeline({"aa": _TRANSFER, "bb": _TRANSFER})),
    "a transfer from nowhere": st.just(_set_pipeline({"aa": {"prefix": "raw/"}})),
    "junk for a schedule": _JUNK.filter(lambda junk: junk is not None).map(
        lambda junk: _set_pipeline({"aa": {**_TRANSFER, "schedule": junk}})
    ),
    "junk for a job": _JUNK.filter(lambda junk: junk is not None).map(
        lambda junk: _set_top("data_pipeline", {"etl": junk})
    ),
    "ranges that overlap": st.just(_overlap),
    "a letter that looks like another": st.just(_look_alike),
    "junk for a calendar": _JUNK.filter(lambda junk: junk is not None).map(lambda junk: _set("pool/calendar", junk)),
    "a block that never ends": st.just(_set("pool/calendar", {"end": "never"})),
    "junk for scheduling": _JUNK.filter(lambda junk: junk is not None and junk != {}).map(
        lambda junk: _set_top("scheduling", junk)
    ),
    "a quota of a pool that is not there": st.just(
        _set_top("scheduling", {"teams": {"aa": {"quotas": {"nowhere": {"nodes": 1}}}}})
    ),
    "a priority above the system's": st.just(_set_top("scheduling", {"priorities": {"aa": {"value": 2 * 10**9}}})),
    "junk for Karpenter": _JUNK.filter(lambda junk: junk is not None).map(lambda junk: _set_top("karpenter", junk)),
    "a Karpenter that makes machines for training": st.just(
        _set_top("karpenter", {"pools": {"aa": {"instance_types": ["p5.48xlarge"], "limits": {"cpus": 999}}}})
    ),
    "alerts for nobody": st.just(_set_top("alerts", {})),
    "junk for alerts": _JUNK.filter(lambda junk: junk is not None).map(lambda junk: _set_top("alerts", junk)),
    "a boundary of another account": st.just(
        _set_top("security", {"permissions_boundary_arn": "arn:aws:iam::999999999999:policy/boundary"})
    ),
    "spot in a reservation": st.just(
        lambda values: _pool(values).update(capacity="spot", capacity_reservation_id=RESERVATION)
    ),
}
_LINES = (
    "  ai-datacenter:retain_data: no",
    "  ai-datacenter:retain_data: 1e3",
    "  ai-datacenter:tags: {a: 010}",
    "  ai-datacenter:tags: {a: .nan}",
    "\tx",
    "  ai-datacenter:tags: [",
    "  ? [a]",
    "  ai-datacenter:tags: !!map {}",
    "  ai-datacenter:tags: &a {b: *a}",
    "  ai-datacenter:tags: {a: \x01}",
    "  aws:region: eu-north-1",
)


@st.composite
def broken_stacks(draw: st.DrawFn) -> Broken:
    """A valid stack file with one change after which it is none."""
    values = draw(stacks())
    kind = draw(st.sampled_from([*CHANGES, "a line that is no good"]))
    if kind == "a line that is no good":
        values.pop(f"{PROJECT}:retain_data", None)
        values.pop(f"{PROJECT}:tags", None)
        return Broken(stack_text(values) + draw(st.sampled_from(_LINES)) + "\n", kind)
    draw(CHANGES[kind])(values)
    return Broken(stack_text(values), kind)
