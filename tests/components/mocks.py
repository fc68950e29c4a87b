"""Answers for a program under ``pulumi.runtime.set_mocks``: outputs as AWS and Kubernetes would compute them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pulumi
from pulumi.runtime import MockCallArgs, MockResourceArgs, Mocks
from pulumi.runtime.settings import ROOT

ACCOUNT = "123456789012"
VERDICT = {
    "passed": True, "reason": "ok", "job": "j", "processes": 2, "devices": 2, "device_kind": "cpu", "nodes": ["a", "b"],
    "loss_first": 5.0, "loss_last": 3.0, "steps": 60, "first_step_s": 6.5, "tokens_per_s": 1.0, "step_time_p50_s": 0.1,
    "step_time_p95_s": 0.2, "collective_time_s": 0.1, "resumed_from_step": None, "checkpoint": None,
    "started_at": "2026-01-01T00:00:00Z", "finished_at": "2026-01-01T00:01:00Z",
}  # fmt: skip


class Cloud(Mocks):
    """Remembers every registration; computed outputs where components chain them."""

    has_verdicts = True  # in its buckets

    def __init__(self) -> None:
        self.resources: list[MockResourceArgs] = []
        self.calls: list[MockCallArgs] = []

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        self.resources.append(args)
        arn = f"arn:aws:mock:us-east-1:{ACCOUNT}:{args.name}"
        return f"{args.name}-id", {"arn": arn, "name": args.name, **_computed(args), **args.inputs}

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        self.calls.append(args)
        if args.token == "aws:s3/getObjects:getObjects":
            return {"keys": [args.args["prefix"]] if self.has_verdicts else []}, []
        return dict(_ANSWERS[args.token]), []

    def of(self, type_: str) -> dict[str, dict[str, Any]]:
        """Inputs of the resources of one type, by name."""
        return {resource.name: dict(resource.inputs) for resource in self.resources if resource.typ == type_}


def _computed(args: MockResourceArgs) -> dict[str, Any]:
    if args.typ == "aws:eks/cluster:Cluster":
        return {
            "endpoint": "https://127.0.0.1:6443",
            "certificateAuthority": {"data": "Q0E="},
            "vpcConfig": {"clusterSecurityGroupId": "sg-cluster"},
            "identities": [{"oidcs": [{"issuer": "https://oidc.eks.us-east-1.amazonaws.com/id/A"}]}],
        }
    if args.typ == "aws:eks/nodeGroup:NodeGroup":
        return {"resources": [{"autoscalingGroups": [{"name": f"eks-{args.name}"}]}]}
    if args.typ == "aws:ecr/repository:Repository":
        url = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/{args.inputs['name']}"
        return {"repositoryUrl": url}
    if args.typ == "aws:ec2/instance:Instance":
        return {"privateIp": "10.0.0.9"}
    if args.typ == "aws:acm/certificate:Certificate":
        name = f"_proof.{args.inputs['domainName']}."
        record = {"resourceRecordName": name, "resourceRecordType": "CNAME", "resourceRecordValue": "_value."}
        return {"domainValidationOptions": [record]}
    if args.typ == "aws:lb/loadBalancer:LoadBalancer":
        return {"dnsName": "lb.example.amazonaws.com", "zoneId": "ZLB"}
    if args.typ == "aws:ec2/vpc:Vpc" and args.inputs.get("assignGeneratedIpv6CidrBlock"):
        return {"ipv6CidrBlock": "2600:1f18::/56"}
    if args.typ.startswith(("aws:fsx", "aws:efs")):
        return {"dnsName": f"{args.name}.us-east-1.amazonaws.com", "mountName": "abcdefgh"}
    if args.typ == "gcp:serviceaccount/account:Account":
        return {"email": f"{args.inputs['accountId']}@my-project.iam.gserviceaccount.com"}
    return {"keyId": "key-id", "latestVersion": 1, "allocationId": "eipalloc-1"}


_VPC = {"vpcId": "vpc-1", "subnetIds": ["subnet-a", "subnet-b", "subnet-c"], "clusterSecurityGroupId": "sg-cluster"}
_ANSWERS: dict[str, dict[str, Any]] = {
    "aws:eks/getCluster:getCluster": {"name": "research", "vpcConfig": _VPC},
    "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT},
    "aws:index/getAvailabilityZones:getAvailabilityZones": {"names": [f"us-east-1{letter}" for letter in "abcd"]},
    "aws:ec2/getAmi:getAmi": {"id": "ami-0123456789abcdef0"},
    "aws:s3/getObject:getObject": {"body": json.dumps(VERDICT)},
}


def run(
    declare: Callable[[], dict[str, Any] | None], stack: str = "local", project: str = "ai-datacenter"
) -> tuple[Cloud, dict[str, Any]]:
    """Run a program against a fresh mock cloud; its resources, and the values of the outputs that it returns."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    cloud = Cloud()
    ROOT.set(None)  # the root carries what a program puts on all its resources: each program has its own
    pulumi.runtime.set_mocks(cloud, project=project, stack=stack)
    found: dict[str, Any] = {}

    @pulumi.runtime.test
    def program() -> Any:
        return pulumi.Output.from_input(declare() or {}).apply(found.update)

    program()
    return cloud, found
