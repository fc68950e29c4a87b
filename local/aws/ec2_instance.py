"""EC2 instances of no node group: moto holds the record; where nodes are machines, a machine is behind it.

It stands in the network of the cluster that its VPC holds. Without such a cluster, and where nodes are processes, there
is the record only. Reads look at the machine: one that has died is drift, and the next ``up`` starts it again.
"""

from __future__ import annotations

import base64
from typing import Any

from local.aws import ec2_machine
from local.aws.cloud import Cloud, tag_map
from local.aws.ec2_common import ec2_arn, retag, tagged
from local.aws.resource_type import URN_TAG, Call, ResourceType, gone_is_fine
from local.aws.shapes import input_of, to_members
from local.provider.values import Values

_DEAD = "localMachine"
"""A property that only a refresh reports: that the machine is dead. It is an input too, so that the next ``up`` sees a
difference and starts it."""
_RENAMES = {"ami": "ImageId", "vpcSecurityGroupIds": "SecurityGroupIds"}
_OTHER = ("tags", "tagsAll", "region", "rootBlockDevice", "iamInstanceProfile", "userDataReplaceOnChange", _DEAD)
_ROOT_DEVICE = "/dev/xvda"  # Debian's and Amazon's images agree
_LIVE = ("pending", "running", "stopping", "stopped")


def _create(call: Call) -> str:
    inputs = call.inputs
    shape = input_of(call.cloud.account.model("ec2"), "RunInstances")
    values = {key: value for key, value in inputs.items() if key not in _OTHER}
    request = to_members(values, shape, _RENAMES, "instance.")
    if profile := inputs.get("iamInstanceProfile"):
        request["IamInstanceProfile"] = {"Name": profile}
    if disk := inputs.get("rootBlockDevice"):
        mapping = {"deviceName": _ROOT_DEVICE, "ebs": disk}
        request |= to_members({"blockDeviceMappings": [mapping]}, shape, None, "instance.")
    answer = call.cloud.call(
        "ec2", "run_instances", **request, MinCount=1, MaxCount=1, TagSpecifications=tagged(call, "instance")
    )
    return answer["Instances"][0]["InstanceId"]


def _describe(cloud: Cloud, **how: Any) -> list[Values]:
    answer = cloud.seek("ec2", "describe_instances", **how) or {"Reservations": []}
    found = [instance for one in answer["Reservations"] for instance in one["Instances"]]
    return [instance for instance in found if instance["State"]["Name"] in _LIVE]


def _settle(call: Call, changed: frozenset[str]) -> None:
    (instance,) = _describe(call.cloud, InstanceIds=[call.id])
    inputs = call.inputs

    def modify(**what: Any) -> None:
        call.cloud.call("ec2", "modify_instance_attribute", InstanceId=call.id, **what)

    if "instanceType" in changed and inputs["instanceType"] != instance["InstanceType"]:
        modify(InstanceType={"Value": inputs["instanceType"]})
    groups = inputs.get("vpcSecurityGroupIds") or []
    if "vpcSecurityGroupIds" in changed and set(groups) != {one["GroupId"] for one in instance["SecurityGroups"]}:
        modify(Groups=groups)
    if "metadataOptions" in changed and call.old_inputs:
        shape = input_of(call.cloud.account.model("ec2"), "ModifyInstanceMetadataOptions")
        options = to_members(inputs.get("metadataOptions") or {}, shape, None, "instance.metadataOptions.")
        call.cloud.call("ec2", "modify_instance_metadata_options", InstanceId=call.id, **options)
    if "userData" in changed and call.old_inputs:
        # AWS stops the instance for it and starts it again; here nothing runs it. moto wants it encoded once more.
        modify(UserData={"Value": base64.b64encode((inputs.get("userData") or "").encode())})
    if "iamInstanceProfile" in changed:
        _settle_profile(call)
    if "rootBlockDevice" in changed and call.old_inputs:
        _settle_disk(call, instance)
    retag(call, changed)
    ec2_machine.converge(call.cloud, {**instance, "Tags": call.tags, "InstanceType": inputs["instanceType"]})


def _settle_profile(call: Call) -> None:
    """Let the instance have the declared profile, or none."""
    cloud, wanted = call.cloud, call.inputs.get("iamInstanceProfile")
    mine = [{"Name": "instance-id", "Values": [call.id]}]
    answer = cloud.call("ec2", "describe_iam_instance_profile_associations", Filters=mine)
    found = {one["AssociationId"]: one["IamInstanceProfile"] for one in answer["IamInstanceProfileAssociations"]}
    for id, profile in found.items():
        if not wanted:
            cloud.call("ec2", "disassociate_iam_instance_profile", AssociationId=id)
        elif profile["Arn"].rsplit("/", 1)[-1] != wanted:
            given = {"Name": wanted}
            cloud.call("ec2", "replace_iam_instance_profile_association", AssociationId=id, IamInstanceProfile=given)
    if wanted and not found:
        cloud.call("ec2", "associate_iam_instance_profile", InstanceId=call.id, IamInstanceProfile={"Name": wanted})


def _settle_disk(call: Call, instance: Values) -> None:
    """What a disk can become while it is in use: larger, or of another type."""
    disk = call.inputs.get("rootBlockDevice") or {}
    names = {"volumeSize": "Size", "volumeType": "VolumeType", "iops": "Iops", "throughput": "Throughput"}
    wanted = {name: disk[key] for key, name in names.items() if disk.get(key) is not None}
    for mapping in instance.get("BlockDeviceMappings", ()):
        if mapping["DeviceName"] == _ROOT_DEVICE and wanted:
            call.cloud.call("ec2", "modify_volume", VolumeId=mapping["Ebs"]["VolumeId"], **wanted)


def _read(cloud: Cloud, id: str, state: Values) -> Values | None:
    found = _describe(cloud, InstanceIds=[id])
    if not found:
        return None
    instance = found[0]
    machine = ec2_machine.look(cloud, instance)
    outputs: Values = {
        "arn": ec2_arn(cloud, "instance", id),
        "ami": instance["ImageId"],
        "instanceType": instance["InstanceType"],
        "subnetId": instance["SubnetId"],
        "availabilityZone": instance["Placement"]["AvailabilityZone"],
        # A machine is where it can be reached here.
        "privateIp": machine.address if machine and machine.address else instance["PrivateIpAddress"],
        "privateDns": instance.get("PrivateDnsName", ""),
        "vpcSecurityGroupIds": [group["GroupId"] for group in instance["SecurityGroups"]],
        "instanceState": instance["State"]["Name"],
        "tags": tag_map(instance.get("Tags")),
    }
    if machine and not machine.is_running:
        outputs |= {"instanceState": "stopped", _DEAD: "stopped"}
    return outputs


def _delete(cloud: Cloud, id: str, state: Values) -> None:
    ec2_machine.remove(cloud, id)
    gone_is_fine(lambda: cloud.call("ec2", "terminate_instances", InstanceIds=[id]))


def _find(call: Call) -> list[str]:
    return [
        instance["InstanceId"]
        for instance in _describe(call.cloud, Filters=[{"Name": f"tag:{URN_TAG}", "Values": [call.urn]}])
    ]


TYPES = (
    ResourceType(
        token="aws:ec2/instance:Instance",
        create=_create,
        read=_read,
        delete=_delete,
        find=_find,
        settle=_settle,
        settled_on_create=frozenset({"instanceType"}),
        replace_on=(
            "ami", "subnetId", "availabilityZone", "rootBlockDevice.encrypted", "rootBlockDevice.kmsKeyId", "keyName",
            "privateIp",
        ),
        replace_if={"userData": "userDataReplaceOnChange", "userDataBase64": "userDataReplaceOnChange"},
        fidelity="realised",
        on_processes="emulated",
        defaults={"sourceDestCheck": True, "monitoring": False, "userDataReplaceOnChange": False},
        # Old and new would be one machine, which has the instance's name.
        delete_before_replace=True,
        damage=(_DEAD,),
    ),
)  # fmt: skip
"""Instances."""
