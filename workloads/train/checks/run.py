"""All checks in order, at every process; the same verdict at each."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from functools import partial

import jax
from jax.sharding import Mesh

from train.checkpoint.store import open_store
from train.checks import clock, collectives, devices, fabric, floors, health, pairs, rounds, storage, work
from train.checks.devices import Device
from train.checks.estimate import Effect, Status
from train.checks.health import Bus, Figures, Finding, Health, LinkHealth, NodeHealth
from train.checks.schedule import are_apart
from train.config.failure import Failure
from train.config.job import Job
from train.parallel.peers import Peers

Stage = Callable[[str], AbstractContextManager[None]]  # names what is done, and ends it when it takes too long


def run(job: Job, peers: Peers, mesh: Mesh, stage: Stage) -> Health:
    """Measure and judge.

    Raises:
        Failure: something is so wrong that nothing else need be measured: a collective gives wrong sums, the place of
            the checkpoints refuses, or the nodes' fabric would not be used.
    """
    lacking = _look_for_fabric(job, peers, stage)
    with stage("checking devices, memory and the checkpoints' place"):
        figures = measure(job, jax.local_devices())
        clocks = clock.clocks_ahead_s(peers)
        texts = peers.gather("train/figures", figures.model_dump_json())
        hosts = peers.exchange("train/host", rounds.host_of(job))
        machines = rounds.machines_of(jax.default_backend(), hosts)
    with stage("comparing the workers with each other"):
        effects = compare_workers(job, peers, jax.local_devices(), machines)
    with stage("timing collectives"):
        timed = collectives.time_all(mesh) if mesh.devices.size > 1 else []
    # Where links have no peers their times are told, and nobody is blamed.
    comparable = pairs.are_comparable(jax.default_backend(), machines)
    with stage("timing the ways between nodes"):
        met = _meet(job, peers, mesh, comparable) if job.processes > 1 else None

    def verdict() -> str:
        everyone = [Figures.model_validate_json(text) for text in texts]
        blamed = pairs.blame(met) if met and comparable else ({}, {})
        buses = [_bus(job, one) for one in timed]
        apart = are_apart(hosts)
        return judge(job, everyone, clocks, effects, buses, met, blamed, lacking, apart=apart).model_dump_json()

    return Health.model_validate_json(peers.from_first("train/health", verdict))


def _look_for_fabric(job: Job, peers: Peers, stage: Stage) -> list[Finding]:
    """What NCCL lacks at any process. Where that ends the job, nothing is measured on a network that is not meant."""
    with stage("looking for the fabric's software"):
        sentences = peers.exchange("train/fabric", fabric.lacking(job, jax.default_backend()))
    lacking = next(filter(None, sentences), "")
    if lacking and job.is_strict:
        raise Failure(lacking, of_all=True)
    return [Finding(status=Status.FAIL, sentence=lacking)] if lacking else []


def _meet(job: Job, peers: Peers, mesh: Mesh, judged: bool) -> pairs.Met | None:
    tournament = pairs.Tournament(mesh, peers, job.processes)
    tournament.check(job.index)
    return tournament.measure(judged, time.monotonic() + job.checks_budget_s)


def measure(job: Job, local: list[Device]) -> Figures:
    """What this process can find out alone."""
    products = [work.product_flops(device) for device in local]
    memory = [work.memory_bytes_per_s(device) for device in local]
    transfers = [found for device in local if (found := work.transfer_bytes_per_s(device))]
    memory_sizes = [found for device in local if (found := devices.device_memory_bytes(device)) is not None]
    answers = [work.device_answer(device) == work.known_answer() for device in local]
    uri = job.config.checkpoint_uri
    written, read = storage.time_store(open_store(uri), job.index) if uri else (None, None)
    return Figures(
        node=job.node,
        devices=len(local),
        device_kind=local[0].device_kind,
        host_memory_bytes=devices.host_memory_bytes(),
        device_memory_bytes=min(memory_sizes, default=None),
        digests=tuple(digest for _, digest in products),
        wrong_devices=tuple(d for d in range(len(local)) if not answers[d] or memory[d][1]),
        matmul_flops=min(flops for flops, _ in products),
        memory_bytes_per_s=min(rate for rate, _ in memory),
        to_device_bytes_per_s=min((there for there, _ in transfers), default=None),
        from_device_bytes_per_s=min((back for _, back in transfers), default=None),
        store_write_bytes_per_s=written,
        store_read_bytes_per_s=read,
    )


def compare_workers(job: Job, peers: Peers, local: list[Device], machines: list[str]) -> dict[str, list[Effect]]:
    """By kind of work the effect of every device; empty lists where there is one device only."""
    platform = local[0].platform
    scale = work.scale_of(platform)

    def repeats(series: Callable[[list[Device], int], rounds.Series]) -> int:
        one = local[:1]
        return rounds.repeats_for(scale.round_s, lambda count: series(one, count).times())

    kinds: dict[str, Callable[[list[Device], int], rounds.Series]] = {}
    kinds["products"] = partial(rounds.product_series, tolerance=rounds.tolerance_of(job, platform))
    if platform != "cpu":
        kinds["memory"] = rounds.memory_series
    # Process 0 says how much work is a round: all must do as much.
    counts = json.loads(
        peers.from_first("train/repeats", lambda: json.dumps({name: repeats(kind) for name, kind in kinds.items()}))
    )
    # One budget for all; the series that matters most comes first.
    measured = rounds.Rounds(job, peers, machines, job.checks_budget_s)
    made = [kind(local, counts[name]) for name, kind in kinds.items()]
    return {series.name: measured.run(series) for series in made}


def _bus(job: Job, timed: collectives.Timed) -> Bus:
    least = None
    if timed.name == collectives.ALL_REDUCE.name:
        least = floors.of_all_reduce(job.accelerator, job.processes, timed.message_bytes)
    return Bus(
        name=timed.name,
        message_bytes=timed.message_bytes,
        seconds=timed.seconds,
        bus_bytes_per_s=timed.bus_bytes_per_s,
        floor_bytes_per_s=least,
    )


def judge(
    job: Job,
    everyone: list[Figures],
    clocks: list[float],
    effects: Mapping[str, list[Effect]],
    buses: list[Bus],
    met: pairs.Met | None,
    blamed: tuple[dict[int, Effect], dict[pairs.Pair, Effect]],
    lacking: list[Finding],
    *,
    apart: bool,
) -> Health:
    """From all measurements to the verdict; nothing is measured here.

    Args:
        apart: each process has a machine to itself, so that what it measured alone was not measured beside another.
    """
    of_nodes, of_links = blamed
    rows: list[NodeHealth] = []
    findings, bits = [*lacking], health.judge_bits(everyone)
    first_worker = 0
    for node, figures in enumerate(everyone):
        own = {kind: found[first_worker : first_worker + figures.devices] for kind, found in effects.items()}
        first_worker += figures.devices
        least = floors.of(job.accelerator, figures.devices, figures.device_memory_bytes is not None)
        found = bits[node] + health.judge_figures(figures, least)
        found += health.judge_among_peers(everyone, node) if apart else []
        found += health.judge_clock(figures.node, clocks[node], len(everyone))
        found += _worker_findings(figures, own)
        if node in of_nodes:
            found += health.judge_effect(figures.node, "its links' transfers", of_nodes[node])
        rows.append(_row(figures, clocks[node], own, found))
        findings += found
    names = [figures.node for figures in everyone]
    links = [_link(names, met, number, of_links) for number in range(len(met.pairs))] if met else []
    for (a, b), effect in of_links.items():
        findings += health.judge_effect(f"the link {names[a]} to {names[b]}", "its transfers", effect)
    findings += [finding for bus in buses for finding in health.judge_bus(bus)]
    findings = list(dict.fromkeys(findings))  # what is said of all nodes is told once
    status, reason = health.conclude(findings)
    return Health(
        status=status,
        reason=reason,
        nodes=tuple(rows),
        links=tuple(links),
        collectives=tuple(buses),
        findings=tuple(findings),
    )


def _worker_findings(figures: Figures, own: Mapping[str, list[Effect]]) -> list[Finding]:
    found: list[Finding] = []
    for kind, effects in own.items():
        for device, effect in enumerate(effects):
            who = figures.node if figures.devices == 1 else f"{figures.node} device {device}"
            found += health.judge_effect(who, f"its {kind}", effect)
    return found


def _row(figures: Figures, clock_ahead_s: float, own: Mapping[str, list[Effect]], found: list[Finding]) -> NodeHealth:
    worst = max((effect for effects in own.values() for effect in effects), key=lambda e: e.low, default=None)
    return NodeHealth(
        status=Status.worst([finding.status for finding in found]),
        figures=figures,
        clock_ahead_s=clock_ahead_s,
        slower=worst and worst.share,
        slower_low=worst and worst.low,
        slower_high=worst and worst.high,
        confidence=worst and worst.confidence,
    )


def _link(names: list[str], met: pairs.Met, number: int, of_links: Mapping[pairs.Pair, Effect]) -> LinkHealth:
    a, b = met.pairs[number]
    effect = of_links.get((a, b))
    return LinkHealth(
        nodes=(names[a], names[b]),
        bytes_per_s=met.bytes_per_s(number),
        status=effect.status if effect else Status.PASS,
        slower=effect and effect.share,
        confidence=effect and effect.confidence,
    )
