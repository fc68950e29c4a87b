"""EC2's flow logs: who spoke with whom in a VPC."""

from __future__ import annotations

from typing import Any

from local.aws.cloud import Cloud, ServiceError, tag_map
from local.aws.ec2_common import deleter, ec2_arn, retag, tagged
from local.aws.resource_type import URN_TAG, Call, ResourceType
from local.provider.values import Values

_SOURCES = {"vpcId": "VPC", "subnetId": "Subnet", "eniId": "NetworkInterface"}


def _create_flow_log(call: Call) -> str:
    inputs = call.inputs
    source = next(name for name in _SOURCES if inputs.get(name))
    request: dict[str, Any] = {
        "ResourceIds": [inputs[source]],
        "ResourceType": _SOURCES[source],
        "TrafficType": inputs.get("trafficType", "ALL"),
        "LogDestinationType": inputs.get("logDestinationType", "cloud-watch-logs"),
    }
    destination = str(inputs.get("logDestination", ""))
    if request["LogDestinationType"] == "cloud-watch-logs" and ":log-group:" in destination:
        request["LogGroupName"] = destination.split(":log-group:")[1].removesuffix(":*")
    elif destination:
        request["LogDestination"] = destination
    if inputs.get("iamRoleArn"):
        request["DeliverLogsPermissionArn"] = inputs["iamRoleArn"]
    if inputs.get("logFormat"):
        request["LogFormat"] = inputs["logFormat"]
    if inputs.get("maxAggregationInterval"):
        request["MaxAggregationInterval"] = int(inputs["maxAggregationInterval"])
    answer = call.cloud.call("ec2", "create_flow_logs", **request, TagSpecifications=tagged(call, "vpc-flow-log"))
    if answer.get("Unsuccessful"):
        error = answer["Unsuccessful"][0]["Error"]
        raise ServiceError(error["Code"], f"ec2 create_flow_logs: {error['Code']}: {error['Message']}")
    return answer["FlowLogIds"][0]


def _read_flow_log(cloud: Cloud, id: str, state: Values) -> Values | None:
    answer = cloud.seek("ec2", "describe_flow_logs", FlowLogIds=[id])
    if not answer or not answer["FlowLogs"]:
        return None
    log = answer["FlowLogs"][0]
    group = log.get("LogGroupName")
    destination = log.get("LogDestination") or (cloud.arn("logs", f"log-group:{group}") if group else "")
    source = {"vpc": "vpcId", "subnet": "subnetId", "eni-": "eniId"}
    key = next((name for prefix, name in source.items() if log["ResourceId"].startswith(prefix)), "vpcId")
    return {
        "arn": ec2_arn(cloud, "vpc-flow-log", id),
        key: log["ResourceId"],
        "trafficType": log["TrafficType"],
        "logDestinationType": log.get("LogDestinationType", "cloud-watch-logs"),
        "logDestination": destination.removesuffix(":*"),
        "iamRoleArn": log.get("DeliverLogsPermissionArn") or "",
        "logFormat": log.get("LogFormat", ""),
        "maxAggregationInterval": int(log.get("MaxAggregationInterval") or 600),
        "tags": tag_map(log.get("Tags")),
    }


def _find_flow_log(call: Call) -> list[str]:
    answer = call.cloud.call("ec2", "describe_flow_logs")
    return [log["FlowLogId"] for log in answer["FlowLogs"] if tag_map(log.get("Tags")).get(URN_TAG) == call.urn]


TYPES = (
    ResourceType(
        token="aws:ec2/flowLog:FlowLog",
        create=_create_flow_log,
        read=_read_flow_log,
        delete=deleter("delete_flow_logs", "FlowLogIds", many=True),
        find=_find_flow_log,
        settle=retag,
        replace_on=(
            *_SOURCES, "trafficType", "logDestination", "logDestinationType", "iamRoleArn", "logFormat",
            "maxAggregationInterval", "destinationOptions",
        ),
        defaults={"logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600},
    ),
)  # fmt: skip
"""Flow logs."""
