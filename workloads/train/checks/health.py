"""What the checks found: one row a node, one a link, and the sentence that names who is to blame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from statistics import median

from pydantic import BaseModel, ConfigDict

from train.checks import clock, floors
from train.checks.estimate import Effect, Status
from train.checks.floors import GIB, Floors

Worker = tuple[int, int]  # a process and one of its devices
_MEASURED_ONCE = {
    "memory_bytes_per_s": ("memory bandwidth", "GB/s", 1e9, floors.PEERS_MEMORY_SHARE),
    "to_device_bytes_per_s": ("transfers to a device", "GB/s", 1e9, floors.PEERS_TRANSFER_SHARE),
    "from_device_bytes_per_s": ("transfers from a device", "GB/s", 1e9, floors.PEERS_TRANSFER_SHARE),
    "store_write_bytes_per_s": ("writes to the checkpoints' place", "MB/s", 1e6, floors.PEERS_STORE_SHARE),
    "store_read_bytes_per_s": ("reads from the checkpoints' place", "MB/s", 1e6, floors.PEERS_STORE_SHARE),
}


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Figures(_Record):
    """What one process measured by itself. Rates are those of its slowest device; None: there is no such thing.

    ``digests`` are of each device's matrix products, ``wrong_devices`` calculated a known answer wrong or lost words.
    """

    node: str
    devices: int
    device_kind: str
    host_memory_bytes: int
    device_memory_bytes: float | None
    digests: tuple[str, ...]
    wrong_devices: tuple[int, ...]
    matmul_flops: float
    memory_bytes_per_s: float
    to_device_bytes_per_s: float | None
    from_device_bytes_per_s: float | None
    store_write_bytes_per_s: float | None
    store_read_bytes_per_s: float | None


class Finding(_Record):
    """One thing that is not well, or not known. ``wrong``: results or parts are not as they must be, whatever speed."""

    status: Status
    sentence: str
    wrong: bool = False


class NodeHealth(_Record):
    """One node's row. ``slower`` is by what share its worst device is behind its peers; None where it has none."""

    status: Status
    figures: Figures
    clock_ahead_s: float
    slower: float | None
    slower_low: float | None
    slower_high: float | None
    confidence: float | None


class LinkHealth(_Record):
    """The way between two nodes. ``slower``: as compared with the other links of both; None where it is not judged."""

    nodes: tuple[str, str]
    bytes_per_s: float
    status: Status
    slower: float | None
    confidence: float | None


class Bus(_Record):
    """One collective at one size; ``floor_bytes_per_s`` is None where nobody published any for such nodes."""

    name: str
    message_bytes: int
    seconds: float
    bus_bytes_per_s: float
    floor_bytes_per_s: float | None


class Health(_Record):
    """The verdict of the checks."""

    status: Status
    reason: str
    nodes: tuple[NodeHealth, ...]
    links: tuple[LinkHealth, ...]
    collectives: tuple[Bus, ...]
    findings: tuple[Finding, ...]

    @property
    def wrong(self) -> str:
        """What no speed excuses; empty where there is nothing."""
        return "; ".join(finding.sentence for finding in self.findings if finding.wrong)


def judge_figures(figures: Figures, floors: Floors) -> list[Finding]:
    """One node against its floors and its known answers."""
    node, found = figures.node, list[Finding]()
    for device in figures.wrong_devices:
        found.append(_wrong(f"{node} device {device} calculates wrong: a known answer came out different"))
    lines = [
        ("main memory", "GiB", GIB, figures.host_memory_bytes, floors.host_memory_bytes),
        ("memory a device", "GiB", GIB, figures.device_memory_bytes, floors.device_memory_bytes),
        ("matrix products", "TFLOP/s", 1e12, figures.matmul_flops, floors.matmul_flops),
        ("memory bandwidth", "GB/s", 1e9, figures.memory_bytes_per_s, floors.memory_bytes_per_s),
    ]
    for what, unit, size, value, floor in lines:
        if floor is not None and value is None:
            found.append(Finding(status=Status.UNKNOWN, sentence=f"{node}: {what} could not be measured"))
        elif floor is not None and value is not None and value < floor:
            numbers = f"{value / size:,.1f} {unit}, and {floor / size:,.1f} is the least for its type"
            found.append(Finding(status=Status.FAIL, sentence=f"{node}: {what} {numbers}"))
    return found


def judge_among_peers(everyone: list[Figures], node: int) -> list[Finding]:
    """What a node measured once, against the median of the others': only what is far below it is found."""
    found: list[Finding] = []
    for name, (what, unit, size, share) in _MEASURED_ONCE.items():
        rates = [getattr(figures, name) for figures in everyone]
        own, others = rates[node], [rate for number, rate in enumerate(rates) if number != node and rate is not None]
        if own is not None and others and own < share * (usual := median(others)):
            numbers = f"{own / size:,.1f} {unit}, less than {share:.0%} of its peers' {usual / size:,.1f} {unit}"
            found.append(Finding(status=Status.FAIL, sentence=f"{everyone[node].node}: {what} {numbers}"))
    return found


def judge_clock(node: str, ahead_s: float, nodes: int) -> list[Finding]:
    """A node's clock against the others'; of two that differ it is not known which is wrong."""
    if abs(ahead_s) <= clock.LIMIT_S:
        return []
    whose = "the other node's, and which of the two is wrong is not known" if nodes == 2 else "the others'"
    return [_wrong(f"the clock of {node} is {abs(ahead_s):.1f} s {'ahead of' if ahead_s > 0 else 'behind'} {whose}")]


def judge_bits(everyone: list[Figures]) -> list[list[Finding]]:
    """By node the devices whose products differ from the majority's; all are suspect where there is none."""
    votes = Counter(digest for figures in everyone for digest in figures.digests)
    if len(votes) < 2:
        return [[] for _ in everyone]
    (first, most), (_, second), *_ = votes.most_common(2)
    if most == second:
        sentence = "the devices disagree on the same matrix products, and no majority says which are wrong"
        return [[_wrong(sentence)] for _ in everyone]
    return [
        [
            _wrong(f"{figures.node} device {device} calculates wrong: its matrix products differ from {most} others'")
            for device, digest in enumerate(figures.digests)
            if digest != first
        ]
        for figures in everyone
    ]


def judge_effect(who: str, what: str, effect: Effect) -> list[Finding]:
    """A worker or link that is surely slow, or of which it is not known."""
    interval = f"{100 * effect.low:.1f} to {100 * effect.high:.1f} %"
    if effect.status is Status.FAIL:
        sentence = f"{who} is slow: {what} take {100 * effect.share:.1f} % longer than its peers' ({interval})"
        return [Finding(status=Status.FAIL, sentence=f"{sentence}, with confidence {confident(effect)}")]
    if effect.status is Status.UNKNOWN:
        sentence = f"it is not known whether {who} is slow: {what} take {interval} longer than its peers'"
        return [Finding(status=Status.UNKNOWN, sentence=sentence)]
    return []


def confident(effect: Effect) -> str:
    """A confidence as people read it: never 100 %."""
    return f"{100 * min(effect.confidence, 0.9999):.2f} %"


def judge_bus(bus: Bus) -> list[Finding]:
    """A collective against its floor."""
    if bus.floor_bytes_per_s is None or bus.bus_bytes_per_s >= bus.floor_bytes_per_s:
        return []
    rates = f"{bus.bus_bytes_per_s / 1e9:,.1f} GB/s, and {bus.floor_bytes_per_s / 1e9:,.1f} is the least"
    where = f"{bus.name} of {bus.message_bytes >> 20} MiB over all devices"
    return [Finding(status=Status.FAIL, sentence=f"{where}: {rates} for this type and number of nodes")]


def conclude(findings: Iterable[Finding]) -> tuple[Status, str]:
    """The worst status and its sentences, what is surely wrong first."""
    found = sorted(findings, key=lambda finding: not finding.wrong)
    status = Status.worst([finding.status for finding in found])
    return status, "; ".join(finding.sentence for finding in found if finding.status is status)


def _wrong(sentence: str) -> Finding:
    return Finding(status=Status.FAIL, sentence=sentence, wrong=True)
