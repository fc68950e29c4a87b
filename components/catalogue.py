"""The catalogue: a Glue table with a row for each run of etl, for Athena and whatever else reads Glue.

The table is written out, and no crawler looks for it: a crawler takes shards for unknown bytes and a tokenizer for a
table, and what a row has is known, for ``workloads/etl`` writes it. The rows are lines of JSON beside the shards and
not ``manifest.json`` itself, which is of many lines and stands among shards.

The catalogue's own encryption is a setting of a whole account and region, which other stacks share: it is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pulumi
import pulumi_aws as aws

from .naming import component_type

TABLE = "runs"
_COUNTS = "map<string,bigint>"
_LENGTHS = (
    "min:bigint,max:bigint,mean:double,p1:bigint,p5:bigint,p25:bigint,p50:bigint,p75:bigint,p95:bigint,p99:bigint"
)
# Hive's types of what ``etl.manifest.manifest_of`` gives.
COLUMNS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "output": ("string", "The run's folder."),
        "shards": (
            "array<struct<file:string,sha256:string,bytes:bigint,tokens:bigint,documents:bigint>>",
            "What was written.",
        ),
        "sources": ("array<struct<uri:string,bytes:bigint,sha256:string>>", "What was read."),
        "ignored_sources": (_COUNTS, "How many files were left out, by ending."),
        "statistics": (
            "struct<documents_read:bigint,bytes_read:bigint,documents_kept:bigint,bytes_kept:bigint,tokens:bigint,"
            f"dropped:{_COUNTS},first_dropped:map<string,string>,duplicates:{_COUNTS},bytes_per_token:double,"
            f"document_tokens:struct<{_LENGTHS}>>",
            "Counts, and document lengths in tokens.",
        ),
        "tokenizer": ("struct<file:string,sha256:string,vocabulary:bigint,end_of_text:bigint>", "The tokenizer."),
        "token_bytes": ("int", "Bytes a token."),
        "config": ("string", "The configuration, as JSON."),
        "config_sha256": ("string", "Its digest."),
        "versions": ("struct<format:int,tokenizer:string,unicode:string,python:string>", "What decides the bytes."),
    }
)


@dataclass(frozen=True, kw_only=True)
class CatalogueArgs:
    """Arguments of :class:`Catalogue`.

    Attributes:
        name: what the database is named after.
        bucket_name: the bucket with the rows.
        prefix: where they are in it.
    """

    name: str
    bucket_name: pulumi.Input[str]
    prefix: str


class Catalogue(pulumi.ComponentResource):
    """A database with one table.

    Attributes:
        database_name: the database in Glue.
        table_name: the table in it.
        location_url: where its rows are, as an ``s3://`` URL.
    """

    database_name: pulumi.Output[str]
    table_name: pulumi.Output[str]
    location_url: pulumi.Output[str]

    def __init__(self, name: str, args: CatalogueArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(Catalogue), name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        bucket = pulumi.Output.from_input(args.bucket_name)
        self.location_url = bucket.apply(lambda known: f"s3://{known}/{args.prefix}")
        database = aws.glue.CatalogDatabase(
            f"{name}-database",
            name=args.name.replace("-", "_"),  # what Athena takes without quotes
            description=f"Training data of {args.name}",
            opts=self._child,
        )
        table = self._create_table(database)
        self.database_name, self.table_name = database.name, table.name
        self.register_outputs({"database_name": self.database_name, "table_name": self.table_name})

    def _create_table(self, database: aws.glue.CatalogDatabase) -> aws.glue.CatalogTable:
        hadoop = "org.apache.hadoop"
        return aws.glue.CatalogTable(
            f"{self._name}-table",
            name=TABLE,
            database_name=database.name,
            description="Runs of etl: a line of JSON each",
            table_type="EXTERNAL_TABLE",
            parameters={"EXTERNAL": "TRUE", "classification": "json"},
            storage_descriptor={
                "location": self.location_url,
                "input_format": f"{hadoop}.mapred.TextInputFormat",
                "output_format": f"{hadoop}.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                "ser_de_info": {"serialization_library": "org.openx.data.jsonserde.JsonSerDe"},
                "columns": [
                    {"name": name, "type": kind, "comment": comment} for name, (kind, comment) in COLUMNS.items()
                ],
            },
            opts=self._child,
        )
