"""Where data may come from and go to, and where the job that makes training data can run."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from components.settings.data_pipeline import (
    PLAYBOOKS,
    REPORTS,
    VERDICTS,
    DataPipelineConfig,
    EtlJobConfig,
    MigrationConfig,
    nested,
    parts,
)
from components.settings.section import Conflict
from components.settings.stack import StackConfig

from .datasets import place_of

Key = tuple[str | int, ...]


def file_system_of(migration: MigrationConfig, config: StackConfig) -> str | None:
    """The name of the file system that it goes to; ``None`` where that cannot be told, or it is a bucket."""
    known = _file_systems(migration.kind, config)
    if migration.place is not None:
        return migration.place if migration.place in known else None
    return known[0] if len(known) == 1 else None


def _file_systems(kind: str, config: StackConfig) -> tuple[str, ...]:
    return tuple({"fsx": config.lustre, "efs": config.efs}.get(kind, {}))


def _key(name: str, *key: str) -> Key:
    return ("data_pipeline", "migrations", name, *key)


def _agents(name: str, migration: MigrationConfig, config: StackConfig) -> Iterator[Conflict]:
    accounts = config.aws.allowed_account_ids
    for index, arn in enumerate(migration.nfs.agent_arns if migration.nfs else ()):
        region, account = arn.split(":")[3:5]
        key = _key(name, "nfs", "agent_arns")
        if region != config.aws.region:
            message = f"agent {index + 1} was activated in {region}, and serves tasks there: activate one in "
            yield Conflict(key=key, message=message + config.aws.region)
        elif account not in accounts:
            message = f"agent {index + 1} is of account {account}, which aws:allowedAccountIds does not name"
            yield Conflict(key=key, message=message, allowed=accounts)


def _bucket_from_elsewhere(name: str, migration: MigrationConfig, config: StackConfig) -> Iterator[Conflict]:
    source = migration.s3
    if source is None:
        return
    mine = source.account_id is None or source.account_id in config.aws.allowed_account_ids
    if source.region == config.aws.region and mine:
        message = (
            f"{source.region} is the stack's own region, and the bucket is of no other account: what is there can be "
            "read where it is. Name another region, or the account_id of another account"
        )
        yield Conflict(key=_key(name, "s3", "region"), message=message)


def _file_system(name: str, migration: MigrationConfig, config: StackConfig) -> Iterator[Conflict]:
    if migration.kind == "s3" or file_system_of(migration, config) is not None:
        return
    known, section = _file_systems(migration.kind, config), "lustre" if migration.kind == "fsx" else "efs"
    if migration.place is not None:
        message = f"there is no file system {migration.place} under {section}"
        yield Conflict(key=_key(name, "place"), message=message, allowed=known, value=migration.place)
    elif known:
        message = f"there are {len(known)} file systems under {section}: name the one as place"
        yield Conflict(key=_key(name, "kind"), message=message, allowed=known)
    else:
        yield Conflict(key=_key(name, "kind"), message=f"there is no file system under {section}")


def _among_checkpoints(name: str, migration: MigrationConfig, config: StackConfig) -> Iterator[Conflict]:
    """A folder that Lustre exports to the checkpoint bucket is a part of it."""
    system = config.lustre.get(file_system_of(migration, config) or "") if migration.kind == "fsx" else None
    link = system.link if system else None
    if link and link.bucket == "checkpoints" and link.export_events and nested(migration.path or "/", link.path):
        message = f"{migration.path or '/'} overlaps {link.path}, which Lustre exports to the checkpoint bucket: data "
        yield Conflict(key=_key(name), message=message + "that comes from elsewhere is no checkpoint")


def _locked(name: str, migration: MigrationConfig, config: StackConfig) -> Iterator[Conflict]:
    lock = config.storage.object_lock
    if migration.kind == "s3" and lock is not None and "data" in lock.buckets:
        message = (
            f"the data bucket is locked: whatever a transfer writes, and writes again, stays for {lock.days} days and "
            "nobody can delete it. Leave data out of storage.object_lock.buckets, or let it go to a file system"
        )
        yield Conflict(key=_key(name), message=message)


def _dataset(name: str, migration: MigrationConfig, config: StackConfig) -> Iterator[Conflict]:
    place = "data" if migration.kind == "s3" else file_system_of(migration, config)
    if migration.dataset is not None and place is not None:
        yield from _lies_there(_key(name, "dataset"), migration.dataset, migration.kind, place, config)


def _lies_there(key: Key, dataset: str, kind: str, place: str, config: StackConfig) -> Iterator[Conflict]:
    known = config.storage.datasets
    fitting = tuple(name for name, one in known.items() if (one.kind, place_of(one, config)) == (kind, place))
    if dataset not in known:
        yield Conflict(key=key, message=f"there is no dataset {dataset}", allowed=fitting, value=dataset)
    elif dataset not in fitting:
        lies = f"{place_of(known[dataset], config)} ({known[dataset].kind})"
        yield Conflict(key=key, message=f"{dataset} lies in {lies}, and not in {place} ({kind})", allowed=fitting)


def _one_writer(config: StackConfig) -> Iterator[Conflict]:
    """What two write, nobody can tell apart, verify or delete."""
    pipeline = config.data_pipeline
    if pipeline is None:
        return
    for (key, place, path, what), (_, other_place, other_path, other) in combinations(_writers(pipeline, config), 2):
        if place == other_place and nested(path, other_path):
            message = f"{path} overlaps {other_path}, which {other} writes: give {what} a place of its own"
            yield Conflict(key=key, message=message)


def _writers(pipeline: DataPipelineConfig, config: StackConfig) -> list[tuple[Key, str, str, str]]:
    """Who writes where: the key of the place, its bucket or file system, the folder in it, and a name. Last ones first.

    The data centre's own come last, so that what is told stands in the stack file.
    """
    found: list[tuple[Key, str, str, str]] = []
    if pipeline.catalogue:
        found.append((("data_pipeline", "catalogue"), "data", pipeline.catalogue.prefix, "the catalogue"))
    if pipeline.etl:
        found.append((("data_pipeline", "etl"), "data", pipeline.etl.output, "etl"))
    for name, one in reversed(pipeline.migrations.items()):
        what = f"migration {name}"
        if one.kind == "s3" and one.prefix:
            found.append((_key(name, "prefix"), "data", one.prefix, what))
        elif one.kind != "s3" and (system := file_system_of(one, config)):
            found.append((_key(name), f"{one.kind} {system}", one.path or "/", what))
            exported = _exported(one, system, config)
            found += [] if exported is None else [(_key(name), "data", exported, f"{what}, by Lustre's link,")]
    own = ((PLAYBOOKS, "the nodes' configuration"), (REPORTS, "DataSync's reports"), (VERDICTS, "the smoke test"))
    return [*found, *(((), "data", prefix, what) for prefix, what in own)]


def _exported(migration: MigrationConfig, system: str, config: StackConfig) -> str | None:
    """Where in the data bucket Lustre puts what comes; ``None`` where it exports nothing of it there."""
    link = config.lustre[system].link if migration.kind == "fsx" else None
    path = migration.path or "/"
    if link is None or link.bucket != "data" or not link.export_events or not nested(path, link.path):
        return None
    return link.prefix + "".join(f"{part}/" for part in parts(path)[len(parts(link.path)) :])


def _pool(etl: EtlJobConfig, config: StackConfig) -> Iterator[Conflict]:
    key: Key = ("data_pipeline", "etl", "pool")
    fitting = tuple(
        name
        for name, pool in config.pools.items()
        if not pool.instance.chips and (pool.desired_size or pool.autoscaled)
    )
    if etl.pool not in config.pools:
        yield Conflict(key=key, message=f"there is no pool {etl.pool}", allowed=fitting, value=etl.pool)
        return
    pool = config.pools[etl.pool]
    row = pool.instance
    if row.chips:
        message = f"{etl.pool} has accelerators ({row.name}), and etl would hold their nodes without using one"
        yield Conflict(key=key, message=message, allowed=fitting)
    elif pool.desired_size == 0 and not pool.autoscaled:
        message = f"pool {etl.pool} has no nodes (desired_size 0), and nothing starts any"
        yield Conflict(key=key, message=message, allowed=fitting)
    for field, wanted, most in (("cpus", etl.cpus, row.vcpus), ("memory_gib", etl.memory_gib, row.memory_gib)):
        if wanted >= most:
            message = f"{wanted} leaves nothing of a node of {row.name}, which has {most} and needs some for itself"
            yield Conflict(key=("data_pipeline", "etl", field), message=message)


def _etl(config: StackConfig) -> Iterator[Conflict]:
    pipeline = config.data_pipeline
    if pipeline is None or pipeline.etl is None:
        return
    yield from _pool(pipeline.etl, config)
    lock = config.storage.object_lock
    if lock is not None and "data" in lock.buckets:
        message = (
            f"the data bucket is locked: every run, a failed one too, would stay for {lock.days} days. Leave data out "
            "of storage.object_lock.buckets"
        )
        yield Conflict(key=("data_pipeline", "etl"), message=message)


def _etl_dataset(config: StackConfig) -> Iterator[Conflict]:
    etl = config.data_pipeline.etl if config.data_pipeline else None
    if etl is not None and etl.dataset is not None:
        yield from _lies_there(("data_pipeline", "etl", "dataset"), etl.dataset, "s3", "data", config)


OF_MIGRATIONS = (_agents, _bucket_from_elsewhere, _file_system, _among_checkpoints, _locked, _dataset)
RULES = (_one_writer, _etl, _etl_dataset)
