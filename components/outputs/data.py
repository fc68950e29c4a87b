"""Where data is, where its copies are, and how it comes."""

from __future__ import annotations

from pydantic import Field

from .base import Output


class BucketOutputs(Output):
    """The buckets' names."""

    data: str
    checkpoints: str


class FileSystemOutputs(Output):
    """A shared file system; ``mount_name`` is Lustre's, ``storage_class`` what a claim names to get a part of it."""

    name: str
    kind: str
    id: str
    arn: str
    dns_name: str
    mount_name: str | None
    storage_class: str


class DatasetOutputs(Output):
    """A dataset: ``id`` is the bucket's name or the file system's id; targets are ``None`` where none is promised."""

    name: str
    kind: str
    place: str
    id: str
    class_: str = Field(alias="class")
    owner: str
    rpo_minutes: int | None
    rto_minutes: int | None


class RegistryOutputs(Output):
    """The registry and the workload's image in it."""

    repository_url: str
    image: str


class RecoveryOutputs(Output):
    """The recovery region's network, and the key of what rests there."""

    region: str
    vpc_id: str
    peering_connection_id: str
    key_arn: str


class ReplicaOutputs(Output):
    """Copies in the recovery region: buckets' names and file systems' ids, by what a stack file calls the originals."""

    buckets: dict[str, str]
    file_systems: dict[str, str]
    repository_url: str | None


class BackupVaultOutputs(Output):
    """Where backups are."""

    region: str
    name: str
    arn: str


class BackupPlanOutputs(Output):
    """A plan of AWS Backup; ``resource_arns``: the buckets and file systems that it backs up."""

    name: str
    id: str
    resource_arns: tuple[str, ...]


class BackupOutputs(Output):
    """The vaults (``copies``: the recovery region's), what goes into them, and the plan that tests restores."""

    vault: BackupVaultOutputs
    copies: BackupVaultOutputs | None
    plans: tuple[BackupPlanOutputs, ...]
    restore_test: str | None


class MigrationOutputs(Output):
    """A transfer from elsewhere; ``source_role_arn``: whom the policy of a source bucket elsewhere must let in."""

    name: str
    task_arn: str
    source_role_arn: str | None
    dataset: str | None


class CatalogueOutputs(Output):
    """The Glue table with a row for each run of etl."""

    database: str
    table: str
    location_url: str


class EtlOutputs(Output):
    """The job that makes training data; ``output_url``: where runs get their folders."""

    cron_job: str
    namespace: str
    output_url: str
    dataset: str | None


class DataPipelineOutputs(Output):
    """How data comes, and what makes training data of it."""

    migrations: tuple[MigrationOutputs, ...]
    catalogue: CatalogueOutputs | None
    etl: EtlOutputs | None
