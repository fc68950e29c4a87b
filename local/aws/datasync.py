"""DataSync: recorded. moto 5.2.5 knows two kinds of locations, under an account of its own, and copies nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, cast

from local.aws.recorded import recorded_type, records_of
from local.aws.resource_type import Call
from local.provider import ProviderError
from local.provider.values import Values

_LOCATIONS = ("S3Location", "NfsLocation", "EfsLocation", "LocationFsxLustre")


def _arn(call: Call, kind: str, short: str) -> str:
    id = hashlib.sha256(call.urn.encode()).hexdigest()[:17]
    return call.cloud.arn("datasync", f"{kind}/{short}-{id}")


def _location(uri: Callable[[Call], str]) -> Callable[[Call], Values]:
    def outputs(call: Call) -> Values:
        arn = _arn(call, "location", "loc")
        folder = str(call.inputs.get("subdirectory") or "/").strip("/")
        return {"id": arn, "arn": arn, "uri": f"{uri(call)}/{folder}/" if folder else f"{uri(call)}/"}

    return outputs


def _last(arn: str) -> str:
    return arn.rpartition("/")[2].rpartition(":")[2]


def _needs_locations(call: Call) -> None:
    root = call.cloud.account.root
    known = {record["properties"]["arn"] for kind in _LOCATIONS for _, record in records_of(root, kind)}
    for end in ("sourceLocationArn", "destinationLocationArn"):
        if call.inputs[end] not in known:
            raise ProviderError(f"{end} {call.inputs[end]} is no DataSync location")


def _needs_group(call: Call) -> None:
    name = str(call.inputs["cloudwatchLogGroupArn"]).rpartition(":log-group:")[2].removesuffix(":*")
    found = call.cloud.call("logs", "describe_log_groups", logGroupNamePrefix=name)["logGroups"]
    if not any(group["logGroupName"] == name for group in found):
        raise ProviderError(f"there is no log group {name} in {call.cloud.region}")


def _needs(call: Call) -> None:
    _needs_locations(call)
    if call.inputs.get("cloudwatchLogGroupArn"):
        _needs_group(call)


def _task_values(inputs: Values) -> Values:
    """The SDK has the report's bucket one level higher than the service, and another word for versions."""
    values = dict(inputs)
    if report := cast("dict[str, Any] | None", values.pop("taskReportConfig", None)):
        rest = {key: value for key, value in report.items() if key not in ("s3Destination", "s3ObjectVersioning")}
        values["taskReportConfig"] = {
            **rest,
            "destination": {"s3": report["s3Destination"]},
            "objectVersionIds": report.get("s3ObjectVersioning"),
        }
    return values


def _task(call: Call) -> Values:
    arn = _arn(call, "task", "task")
    return {"id": arn, "arn": arn}


TYPES = (
    recorded_type(
        token="aws:datasync/s3Location:S3Location",
        service="datasync",
        operation="CreateLocationS3",
        outputs=_location(lambda call: f"s3://{_last(call.inputs['s3BucketArn'])}"),
        replace_on=("s3BucketArn", "s3Config", "subdirectory", "s3StorageClass", "agentArns"),
        defaults={"s3StorageClass": "STANDARD"},
        tags_member="Tags",
    ),
    recorded_type(
        token="aws:datasync/nfsLocation:NfsLocation",
        service="datasync",
        operation="CreateLocationNfs",
        outputs=_location(lambda call: f"nfs://{call.inputs['serverHostname']}"),
        replace_on=("serverHostname",),
        tags_member="Tags",
    ),
    recorded_type(
        token="aws:datasync/efsLocation:EfsLocation",
        service="datasync",
        operation="CreateLocationEfs",
        outputs=_location(lambda call: f"efs://{call.cloud.region}.{_last(call.inputs['efsFileSystemArn'])}"),
        replace_on=(
            "efsFileSystemArn", "ec2Config", "subdirectory", "accessPointArn", "fileSystemAccessRoleArn",
            "inTransitEncryption",
        ),
        tags_member="Tags",
    ),
    recorded_type(
        token="aws:datasync/locationFsxLustre:LocationFsxLustre",
        service="datasync",
        operation="CreateLocationFsxLustre",
        outputs=_location(lambda call: f"fsxl://{call.cloud.region}.{_last(call.inputs['fsxFilesystemArn'])}"),
        replace_on=("fsxFilesystemArn", "securityGroupArns", "subdirectory"),
        tags_member="Tags",
    ),
    recorded_type(
        token="aws:datasync/task:Task",
        service="datasync",
        operation="CreateTask",
        outputs=_task,
        values=_task_values,
        replace_on=("sourceLocationArn", "destinationLocationArn", "taskMode"),
        tags_member="Tags",
        check=_needs,
    ),
)  # fmt: skip
"""DataSync's types."""
