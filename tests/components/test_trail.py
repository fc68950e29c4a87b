"""A trail whose files are encrypted, checked and kept, written by CloudTrail for this trail alone."""

from __future__ import annotations

import json
from typing import Any

import pulumi

from components.access_logs import delivery_policy
from components.encryption import key_policy
from components.guardduty import features
from components.outputs import DatacenterOutputs
from components.settings import GuardDutyConfig, TrailConfig
from components.trail import Trail, TrailArgs

from .mocks import Cloud, run
from .test_datacenter import program


def declared(**config: Any) -> Cloud:
    def declare() -> None:
        args = TrailArgs(
            name="dc", region="us-east-1", account_id="1", config=TrailConfig(**config), key_arn="arn:key",
            bucket_arns=[pulumi.Output.from_input("arn:aws:s3:::data")], retain=True,
        )  # fmt: skip
        Trail("trail", args)

    return run(lambda: declare())[0]  # type: ignore[func-returns-value]


def trail(cloud: Cloud) -> dict[str, Any]:
    (found,) = cloud.of("aws:cloudtrail/trail:Trail").values()
    return found


def test_the_trail_is_of_all_regions_validated_and_encrypted() -> None:
    found = trail(declared())
    assert found["isMultiRegionTrail"]
    assert found["enableLogFileValidation"]
    assert found["includeGlobalServiceEvents"]
    assert (found["kmsKeyId"], found["name"]) == ("arn:key", "dc-trail")


def test_reads_and_writes_of_objects_are_told_only_where_asked_and_then_calls_too() -> None:
    assert "advancedEventSelectors" not in trail(declared())
    calls, objects = trail(declared(data_events=True))["advancedEventSelectors"]
    assert calls["fieldSelectors"] == [{"field": "eventCategory", "equals": ["Management"]}]
    assert {"field": "resources.ARN", "startsWiths": ["arn:aws:s3:::data/"]} in objects["fieldSelectors"]


def test_files_are_kept_for_the_days_that_are_named_also_when_somebody_overwrites_them() -> None:
    cloud = declared(keep_days=400)
    (lifecycle,) = cloud.of("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").values()
    (rule,) = lifecycle["rules"]
    assert rule["expiration"]["days"] == rule["noncurrentVersionExpiration"]["noncurrentDays"] == 400
    (versioning,) = cloud.of("aws:s3/bucketVersioning:BucketVersioning").values()
    assert versioning["versioningConfiguration"]["status"] == "Enabled"


def test_cloudtrail_writes_for_this_trail_alone() -> None:
    arn = "arn:aws:cloudtrail:us-east-1:1:trail/dc-trail"
    allowed = [
        one for one in delivery_policy("trail", "arn:b", "1", "us-east-1", "dc")["Statement"] if "Sid" not in one
    ]
    assert {one["Action"] for one in allowed} == {"s3:GetBucketAcl", "s3:PutObject"}
    assert all(one["Condition"]["StringEquals"]["aws:SourceArn"] == arn for one in allowed)
    (key,) = [one for one in key_policy("1", "us-east-1", trail=True)["Statement"] if one["Sid"] == "Trail"]
    assert key["Condition"] == {"ArnLike": {"aws:SourceArn": "arn:aws:cloudtrail:us-east-1:1:trail/*"}}
    assert "kms:Decrypt" not in key["Action"]


def test_a_detector_s_features_are_said_either_way() -> None:
    assert features(GuardDutyConfig()) == {
        "EKS_AUDIT_LOGS": True, "S3_DATA_EVENTS": True, "RUNTIME_MONITORING": False,
    }  # fmt: skip
    found = program("prod")[0].of("aws:guardduty/detectorFeature:DetectorFeature")
    assert {one["name"]: one["status"] for one in found.values()} == {
        "EKS_AUDIT_LOGS": "ENABLED", "S3_DATA_EVENTS": "ENABLED", "RUNTIME_MONITORING": "DISABLED",
    }  # fmt: skip


def test_findings_reach_people_and_the_outputs_say_where_the_trail_is() -> None:
    cloud, found = program("prod")
    patterns = [json.loads(one["eventPattern"]) for one in cloud.of("aws:cloudwatch/eventRule:EventRule").values()]
    assert ["aws.guardduty"] in [one["source"] for one in patterns]
    outputs = DatacenterOutputs.model_validate(found)
    assert outputs.trail
    assert outputs.trail.bucket_name in [one["bucket"] for one in cloud.of("aws:s3/bucket:Bucket").values()]
    assert "Trail" in [
        one["Sid"] for one in json.loads(cloud.of("aws:kms/key:Key")["encryption-key"]["policy"])["Statement"]
    ]
