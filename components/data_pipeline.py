"""How data comes to the data centre, and where training data is told; the job between the two is in ``etl_job``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from .catalogue import Catalogue, CatalogueArgs
from .migration import EfsTarget, LustreTarget, Migration, MigrationArgs
from .migration_access import log_access
from .naming import component_type
from .settings import DataPipelineConfig


@dataclass(frozen=True, kw_only=True)
class DataPipelineArgs:
    """Arguments of :class:`DataPipeline`.

    Attributes:
        bucket_name: the data bucket.
        bucket_arn: the data bucket's.
        targets: by migration, the file system that its data goes to; the others go to the data bucket.
    """

    name: str
    region: str
    account_id: pulumi.Input[str]
    config: DataPipelineConfig
    bucket_name: pulumi.Input[str]
    bucket_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    targets: Mapping[str, EfsTarget | LustreTarget] = field(default_factory=dict[str, EfsTarget | LustreTarget])


class DataPipeline(pulumi.ComponentResource):
    """The migrations with the log that they share, and the catalogue.

    Attributes:
        migrations: by their names in the stack file.
        catalogue: the catalogue of what etl made, ``None`` without one.
    """

    migrations: Mapping[str, Migration]
    catalogue: Catalogue | None = None

    def __init__(self, name: str, args: DataPipelineArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(DataPipeline), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.migrations = self._create_migrations()
        if args.config.catalogue:
            prefix = args.config.catalogue.prefix
            told = CatalogueArgs(name=args.name, bucket_name=args.bucket_name, prefix=prefix)
            self.catalogue = Catalogue(f"{name}-catalogue", told, self._child)
        self.register_outputs({"migrations": list(self.migrations)})

    def _create_migrations(self) -> dict[str, Migration]:
        declared = self._args.config.migrations
        if not declared:
            return {}
        logs, allowed = self._create_log_group()
        opts = pulumi.ResourceOptions(parent=self, depends_on=[allowed])
        return {name: Migration(f"{self._name}-{name}", self._migration(name, logs), opts) for name in declared}

    def _create_log_group(self) -> tuple[aws.cloudwatch.LogGroup, pulumi.Resource]:
        args = self._args
        logs = aws.cloudwatch.LogGroup(
            f"{self._name}-logs",
            name=f"/aws/datasync/{args.name}",
            retention_in_days=args.config.log_retention_days,
            kms_key_id=args.key_arn,
            opts=self._child,
        )
        # One for all migrations: a region takes ten such policies of an account.
        allowed = aws.cloudwatch.LogResourcePolicy(
            f"{self._name}-logs-policy",
            policy_name=f"{args.name}-datasync",
            policy_document=pulumi.Output.all(args.account_id, logs.arn).apply(
                lambda known: json.dumps(log_access(args.region, *known))
            ),
            opts=self._child,
        )
        return logs, allowed

    def _migration(self, migration: str, logs: aws.cloudwatch.LogGroup) -> MigrationArgs:
        args = self._args
        return MigrationArgs(
            name=args.name,
            migration=migration,
            region=args.region,
            account_id=args.account_id,
            config=args.config.migrations[migration],
            bucket_arn=args.bucket_arn,
            key_arn=args.key_arn,
            log_group_arn=logs.arn,
            target=args.targets.get(migration),
        )

    def outputs(self) -> dict[str, Any]:
        """``migrations`` and ``catalogue`` of :class:`components.outputs.DataPipelineOutputs`."""
        migrations = [
            {
                "name": name,
                "task_arn": one.task_arn,
                "source_role_arn": one.source_role_arn,
                "dataset": self._args.config.migrations[name].dataset,
            }
            for name, one in self.migrations.items()
        ]
        told = self.catalogue
        catalogue = (
            {"database": told.database_name, "table": told.table_name, "location_url": told.location_url}
            if told
            else None
        )
        return {"migrations": migrations, "catalogue": catalogue}
