"""The buckets: what is kept, for how long, and what nobody may do to it."""

from __future__ import annotations

from typing import Any

import pytest

from components.datasets import dataset_tags
from components.settings import DatasetConfig, StorageConfig
from components.storage import Storage, StorageArgs, data_rules

from .mocks import Cloud, run


def buckets(tags: dict[str, dict[str, str]] | None = None, **config: Any) -> Cloud:
    def declare() -> None:
        args = StorageArgs(
            name="dc", region="us-east-1", account_id="123456789012", config=StorageConfig(**config),
            key_arn="arn:key", retain=True, tags=tags or {},
        )  # fmt: skip
        Storage("storage", args)

    return run(lambda: declare())[0]  # type: ignore[func-returns-value]


def locks(cloud: Cloud) -> dict[str, Any]:
    return cloud.of("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration")


def test_nothing_is_locked_unless_asked_for() -> None:
    assert locks(buckets()) == {}


@pytest.mark.parametrize("mode", ["governance", "compliance"])
def test_a_lock_is_on_the_buckets_that_are_named_and_no_other(mode: str) -> None:
    found = locks(buckets(object_lock={"mode": mode, "days": 30, "buckets": ("checkpoints",)}))
    assert list(found) == ["storage-checkpoints-lock"]
    rule = found["storage-checkpoints-lock"]["rule"]
    assert rule == {"defaultRetention": {"mode": mode.upper(), "days": 30}}


def test_every_bucket_has_versions_for_a_lock_to_hold() -> None:
    found = buckets().of("aws:s3/bucketVersioning:BucketVersioning").values()
    assert [one["versioningConfiguration"]["status"] for one in found] == ["Enabled", "Enabled"]


def test_intelligent_tiering_begins_at_once_and_only_where_asked_for() -> None:
    assert len(data_rules(StorageConfig())) == 1
    (_, rule) = data_rules(StorageConfig(data_intelligent_tiering=True))
    assert rule["transitions"] == [{"days": 0, "storage_class": "INTELLIGENT_TIERING"}]


def test_a_bucket_bears_the_class_owner_and_targets_of_each_of_its_datasets() -> None:
    dataset = DatasetConfig.model_validate(
        {"kind": "s3", "class": "critical", "owner": "data team", "rpo_minutes": 15, "rto_minutes": 240}
    )
    found = buckets({"data": dataset_tags({"tokens": dataset})}).of("aws:s3/bucket:Bucket")
    assert found["storage-data"]["tags"] == {
        "ai-datacenter:dataset/tokens": "class=critical owner=data team rpo_minutes=15 rto_minutes=240"
    }
    assert "tags" not in found["storage-checkpoints"]
