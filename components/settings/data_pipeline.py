"""The data_pipeline section: how raw data comes here, what makes training data of it, and where that is told.

Source where none is named: DataSync API reference.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .schedules import AwsSchedule, KubernetesSchedule
from .section import Conflict, Section, rule_of
from .values import AccountId, Name, Region, RetentionDays

# Of the data bucket: what the data centre itself writes there, beside the pipeline.
PLAYBOOKS, REPORTS, VERDICTS = "playbooks/", "datasync-reports/", "smoke-test/"

_WORD = r"[A-Za-z0-9_+()-][A-Za-z0-9._+()-]*"  # what DataSync takes in a path, without "." and ".." as names
_MOST_FILTERS = 100

Prefix = Annotated[str, StringConstraints(pattern=rf"^({_WORD}/)+$", max_length=512)]
Path = Annotated[str, StringConstraints(pattern=rf"^(/|(/{_WORD})+)$", max_length=1024)]
AgentArn = Annotated[
    str,
    StringConstraints(pattern=r"^arn:aws[a-z-]*:datasync:[a-z0-9-]+:[0-9]{12}:agent/agent-[0-9a-z]{17}$"),
]
KeyArn = Annotated[str, StringConstraints(pattern=r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]{1,64}$")]
Host = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9-]*[A-Za-z0-9]\.)*[A-Za-z0-9:-]*[A-Za-z0-9]$")]
BucketName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
Include = Annotated[str, StringConstraints(pattern=r"^/[^|*]*\*?$", max_length=1024)]
Exclude = Annotated[str, StringConstraints(pattern=r"^[/*][^|]*$", max_length=1024)]


def parts(path: str) -> list[str]:
    """The names in a path or prefix."""
    return [part for part in path.split("/") if part]


def nested(one: str, other: str) -> bool:
    """Whether one of two folders lies in the other, or they are the same."""
    first, second = parts(one), parts(other)
    shared = min(len(first), len(second))
    return first[:shared] == second[:shared]


class NfsSourceConfig(Section):
    """An NFS server of one's own premises."""

    server: Host = Field(max_length=255, description="Its name or address, as the agent reaches it.")
    path: Path = Field(description="The exported folder.")
    agent_arns: tuple[AgentArn, ...] = Field(
        strict=False,
        min_length=1,
        max_length=8,
        description="DataSync agents beside the server: machines that somebody starts and activates there, in the "
        "stack's region.",
    )


class S3SourceConfig(Section):
    """A bucket of another region, or of another account."""

    bucket: BucketName = Field(description="Its name.")
    prefix: Prefix | None = Field(default=None, description="What of it, ending in a slash; absent: all of it.")
    region: Region = Field(description="The bucket's region.")
    account_id: AccountId | None = Field(
        default=None,
        description="The account whose it is; absent: the stack's own. Its bucket policy must let in the role that "
        "the outputs name.",
    )
    kms_key_arn: KeyArn | None = Field(
        default=None,
        description="The key that encrypts it; absent: none of KMS'. Its policy must let the role decrypt.",
    )


class MigrationConfig(Section):
    """Data that comes from elsewhere: a DataSync task, started by hand or by schedule. Nothing is deleted here."""

    nfs: NfsSourceConfig | None = Field(default=None, description="From an NFS server; this or s3.")
    s3: S3SourceConfig | None = Field(default=None, description="From a bucket; this or nfs.")
    kind: Literal["s3", "fsx", "efs"] = Field(
        default="s3", description="What it goes to: the data bucket, FSx for Lustre or EFS."
    )
    place: Name | None = Field(default=None, description="The file system's name; absent: the only one of the kind.")
    prefix: Prefix | None = Field(default=None, description="Where in the data bucket, ending in a slash.")
    path: Path | None = Field(default=None, description="Folder of the file system; absent: its root.")
    dataset: Name | None = Field(default=None, description="The dataset that it fills, of storage.datasets.")
    schedule: AwsSchedule | None = Field(
        default=None,
        description="When it runs, in UTC: cron(…) or rate(…) of an hour or more; absent: when somebody starts it. "
        "Without a schedule everything at both ends is compared in the end; with one, what was transferred.",
    )
    bandwidth_mib_s: int | None = Field(
        default=None, ge=1, le=100_000, description="Most MiB a second; absent: as much as there is."
    )
    include: tuple[Include, ...] = Field(
        default=(),
        strict=False,
        max_length=_MOST_FILTERS,
        description="Only these, from the source's folder on; a * at the end stands for the rest. Empty: everything.",
    )
    exclude: tuple[Exclude, ...] = Field(
        default=(), strict=False, max_length=_MOST_FILTERS, description="Not these: /scratch, or *.tmp anywhere."
    )

    @property
    def verify_mode(self) -> str:
        """What DataSync compares in the end, by checksums.

        A migration that runs once is followed by the end of its source: everything is compared. One by schedule would
        read all of both ends each time, and a source that goes on changing would never agree.
        """
        return "ONLY_FILES_TRANSFERRED" if self.schedule else "POINT_IN_TIME_CONSISTENT"


class EtlJobConfig(Section):
    """Raw text of the data bucket to shards of tokens, by schedule: each run into a folder of its own."""

    pool: str = Field(description="The pool it runs on; one without accelerators.")
    schedule: KubernetesSchedule = Field(
        description="When it begins, in UTC, in Kubernetes' syntax of five fields; not while the one before runs."
    )
    sources: tuple[Prefix, ...] = Field(
        default=("raw/",), strict=False, min_length=1, max_length=20, description="Prefixes of the data bucket to read."
    )
    output: Prefix = Field(default="tokens/", description="Where runs get their folders.")
    dataset: Name | None = Field(default=None, description="The dataset that it fills, of storage.datasets.")
    tokenizer: Annotated[str, StringConstraints(pattern=rf"^({_WORD}/)*{_WORD}$", max_length=512)] | None = Field(
        default=None,
        description="Key of a tokenizer.json in the data bucket; absent: each run trains its own, and what one model "
        "has learnt of another run's tokens is worth nothing.",
    )
    vocabulary: int = Field(default=32_768, ge=257, le=2**24, description="Of a tokenizer that is trained.")
    shard_tokens: int = Field(
        default=2**24, ge=1024, le=2**30, description="Tokens of a shard: what a killed run does again."
    )
    cpus: int = Field(default=1, ge=1, le=192, description="CPUs, and processes.")
    memory_gib: int = Field(
        default=4,
        ge=1,
        le=2048,
        description="Memory, GiB: 0.8 KB for each document kept, 1.6 KB for each source file, and one shard.",
    )
    timeout_s: int = Field(default=86_400, ge=60, le=2_592_000, description="Seconds until a run has failed.")
    retries: int = Field(default=3, ge=0, le=10, description="How often a run goes on after a failure.")


class CatalogueConfig(Section):
    """A Glue table with a row for each run of etl: what was read, dropped and written, with digests."""

    prefix: Prefix = Field(default="catalogue/", description="Where the rows are, in the data bucket.")


class DataPipelineConfig(Section):
    """From raw data elsewhere to training data here."""

    migrations: dict[Name, MigrationConfig] = Field(
        default_factory=dict, max_length=50, description="Transfers from elsewhere, by name."
    )
    etl: EtlJobConfig | None = Field(default=None, description="The job that makes training data; absent: none.")
    catalogue: CatalogueConfig | None = Field(
        default=None, description="Where runs of etl are told; absent: nowhere but in their folders."
    )
    log_retention_days: RetentionDays = Field(default=90, description="Days that the logs of migrations are kept.")


@rule_of(MigrationConfig)
def _one_source(migration: MigrationConfig) -> Iterator[Conflict]:
    if (migration.nfs is None) == (migration.s3 is None):
        found = "nothing" if migration.nfs is None else "two places"
        yield Conflict(key=(), message=f"comes from {found}: give nfs or s3", allowed=("nfs", "s3"))


@rule_of(DataPipelineConfig)
def _catalogue(pipeline: DataPipelineConfig) -> Iterator[Conflict]:
    if pipeline.catalogue is not None and pipeline.etl is None:
        message = "has a row for each run of etl, and there is no etl: leave it out, or give etl"
        yield Conflict(key=("catalogue",), message=message)


@rule_of(DataPipelineConfig)
def _reads_what_it_writes(pipeline: DataPipelineConfig) -> Iterator[Conflict]:
    if pipeline.etl is None:
        return
    written = [pipeline.etl.output, *([pipeline.catalogue.prefix] if pipeline.catalogue else [])]
    for source in pipeline.etl.sources:
        for output in written:
            if nested(source, output):
                message = f"{source} overlaps {output}, which etl writes: it would read its own work"
                yield Conflict(key=("etl",), message=message)


@rule_of(S3SourceConfig)
def _key_of_the_region(source: S3SourceConfig) -> Iterator[Conflict]:
    if source.kms_key_arn and source.kms_key_arn.split(":")[3] != source.region:
        message = f"is a key of {source.kms_key_arn.split(':')[3]}, and encrypts no bucket in {source.region}"
        yield Conflict(key=("kms_key_arn",), message=message)


@rule_of(MigrationConfig)
def _destination(migration: MigrationConfig) -> Iterator[Conflict]:
    if migration.kind != "s3":
        if migration.prefix is not None:
            message = f"is for the data bucket, and this goes to a file system of kind {migration.kind}: give a path"
            yield Conflict(key=("prefix",), message=message)
        return
    if migration.prefix is None:
        yield Conflict(key=(), message="goes to the data bucket, and says not where: give a prefix")
    for field in ("place", "path"):
        if getattr(migration, field) is not None:
            message = "is for file systems, and this goes to the data bucket: leave it out, or give kind fsx or efs"
            yield Conflict(key=(field,), message=message)
