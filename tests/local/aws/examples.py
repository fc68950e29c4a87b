"""One example a type: arguments as components give them, and a change that is made in place.

``{vpc.id}`` stands for an output of an earlier example, ``{zone.id}`` for a zone of Route 53 that is there before,
``{primary.arn}`` for a multi-Region key of another region.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
_ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
_DENY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]}
_LOGS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "datasync.amazonaws.com"},
            "Action": "logs:PutLogEvents",
            "Resource": "*",
        }
    ],
}
_AGENT = "arn:aws:datasync:us-east-1:123456789012:agent/agent-0123456789abcdef0"
_PUBLISH = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sns:Publish",
            "Resource": "*"}  # fmt: skip
_WRITE = {**_PUBLISH, "Action": "sqs:SendMessage"}
_VISIBILITY = {"cloudwatchMetricsEnabled": True, "metricName": "dc", "sampledRequestsEnabled": True}
_LIFECYCLE = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": 14,
            },
            "action": {"type": "expire"},
        }
    ]
}
_IMAGES = {
    "destinations": [{"region": "us-west-2", "registryId": "123456789012"}],
    "repositoryFilters": [{"filter": "dc/train", "filterType": "PREFIX_MATCH"}],
}
_REPLICATION = {
    "id": "recovery", "priority": 0, "status": "Enabled", "filter": {"prefix": ""},
    "deleteMarkerReplication": {"status": "Enabled"},
    "sourceSelectionCriteria": {"sseKmsEncryptedObjects": {"status": "Enabled"}},
    "destination": {
        "bucket": "{replica-bucket.arn}", "encryptionConfiguration": {"replicaKmsKeyId": "{key.arn}"},
        "replicationTime": {"status": "Enabled", "time": {"minutes": 15}},
        "metrics": {"status": "Enabled", "eventThreshold": {"minutes": 15}},
    },
}  # fmt: skip


@dataclass(frozen=True)
class Example:
    """One type's example; ``change`` are inputs after an update in place, None where every change replaces."""

    name: str
    token: str
    inputs: dict[str, Any]
    change: dict[str, Any] | None = None
    paths: frozenset[str] = frozenset()
    outputs: tuple[str, ...] = ()
    stays: bool = False


def fill(value: Any, made: dict[str, Any]) -> Any:
    """``value`` with the outputs of earlier examples in place."""
    if isinstance(value, str):
        whole = re.fullmatch(r"\{([\w-]+)\.(\w+)\}", value)
        return made[whole[1]].outputs[whole[2]] if whole else value
    if isinstance(value, dict):
        return {key: fill(item, made) for key, item in value.items()}
    return [fill(item, made) for item in value] if isinstance(value, list) else value


EXAMPLES = (
    Example(
        "vpc", "aws:ec2/vpc:Vpc",
        {"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": True, "enableDnsSupport": True, "tags": {"Name": "dc"}},
        {"enableDnsHostnames": False}, frozenset({"enableDnsHostnames"}),
        ("arn", "ownerId", "defaultSecurityGroupId", "mainRouteTableId", "tagsAll"),
    ),
    Example(
        "subnet", "aws:ec2/subnet:Subnet",
        {"vpcId": "{vpc.id}", "cidrBlock": "10.0.0.0/20", "availabilityZone": "us-east-1a", "tags": {"Name": "a"}},
        {"mapPublicIpOnLaunch": True}, frozenset({"mapPublicIpOnLaunch"}), ("availabilityZoneId", "arn"),
    ),
    Example(
        "subnet-b", "aws:ec2/subnet:Subnet",
        {"vpcId": "{vpc.id}", "cidrBlock": "10.0.16.0/20", "availabilityZone": "us-east-1b"},
        {"tags": {"kubernetes.io/role/internal-elb": "1"}}, frozenset({"tags"}),
    ),
    Example(
        "igw", "aws:ec2/internetGateway:InternetGateway", {"vpcId": "{vpc.id}", "tags": {"Name": "igw"}},
        {"tags": {"Name": "other"}}, frozenset({"tags.Name"}), ("arn", "ownerId", "vpcId"),
    ),
    Example(
        "vpc-ipv6", "aws:ec2/vpc:Vpc", {"cidrBlock": "10.2.0.0/16"}, {"assignGeneratedIpv6CidrBlock": True},
        frozenset({"assignGeneratedIpv6CidrBlock"}),
    ),
    Example(
        "egress-only", "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway", {"vpcId": "{vpc.id}"},
        {"tags": {"Name": "six"}}, frozenset({"tags"}), ("vpcId",),
    ),
    Example(
        "peering", "aws:ec2/vpcPeeringConnection:VpcPeeringConnection",
        {"vpcId": "{vpc.id}", "peerVpcId": "{vpc-ipv6.id}", "peerRegion": "us-east-1"},
        {"tags": {"Name": "p"}}, frozenset({"tags"}), ("acceptStatus", "peerOwnerId"),
    ),
    Example(
        "accepter", "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter",
        {"vpcPeeringConnectionId": "{peering.id}", "autoAccept": True}, None,
        outputs=("acceptStatus", "vpcId"), stays=True,
    ),
    Example(
        "eip", "aws:ec2/eip:Eip", {"domain": "vpc", "tags": {"Name": "nat"}}, {"tags": {}}, frozenset({"tags.Name"}),
        ("allocationId", "publicIp"),
    ),
    Example(
        "nat", "aws:ec2/natGateway:NatGateway", {"subnetId": "{subnet.id}", "allocationId": "{eip.allocationId}"},
        {"tags": {"Name": "n"}}, frozenset({"tags"}), ("publicIp", "privateIp"),
    ),
    Example(
        "rtb", "aws:ec2/routeTable:RouteTable",
        {"vpcId": "{vpc.id}", "routes": [{"cidrBlock": "0.0.0.0/0", "gatewayId": "{igw.id}"}]},
        {"routes": [{"cidrBlock": "0.0.0.0/0", "natGatewayId": "{nat.id}"}]},
        frozenset({"routes[0].gatewayId", "routes[0].natGatewayId"}), ("arn",),
    ),
    Example("rtb-private", "aws:ec2/routeTable:RouteTable", {"vpcId": "{vpc.id}", "tags": {"Name": "p"}},
            {"tags": {"Name": "q"}}, frozenset({"tags.Name"})),
    Example(
        "route", "aws:ec2/route:Route",
        {"routeTableId": "{rtb-private.id}", "destinationCidrBlock": "0.0.0.0/0", "natGatewayId": "{nat.id}"},
        {"natGatewayId": None, "gatewayId": "{igw.id}"}, frozenset({"natGatewayId", "gatewayId"}), ("state",),
    ),
    Example(
        "assoc", "aws:ec2/routeTableAssociation:RouteTableAssociation",
        {"routeTableId": "{rtb-private.id}", "subnetId": "{subnet.id}"},
    ),
    Example(
        "group", "aws:ec2/securityGroup:SecurityGroup",
        {
            "vpcId": "{vpc.id}", "description": "nodes",
            "egress": [{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}],
            "ingress": [{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.0.0.0/16"]}],
        },
        {"ingress": [{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.0.0.0/20"]}]},
        frozenset({"ingress[0].cidrBlocks[0]"}), ("arn", "ownerId", "name"),
    ),
    Example(
        "efa", "aws:ec2/securityGroup:SecurityGroup", {"vpcId": "{vpc.id}", "name": "efa", "description": "fabric"},
        {"tags": {"x": "y"}}, frozenset({"tags"}),
    ),
    Example(
        "efa-in", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        {"securityGroupId": "{efa.id}", "ipProtocol": "-1", "referencedSecurityGroupId": "{efa.id}"},
        {"tags": {"why": "efa"}}, frozenset({"tags"}), ("arn", "securityGroupRuleId"),
    ),
    Example(
        "efa-out", "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        {"securityGroupId": "{efa.id}", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "10.0.0.0/16"},
        {"tags": {"why": "https"}}, frozenset({"tags"}), ("arn",),
    ),
    Example(
        "default-group", "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
        {"vpcId": "{vpc.id}", "tags": {"Name": "closed"}}, {"tags": {"Name": "shut"}}, frozenset({"tags.Name"}),
        ("arn",), stays=True,
    ),
    Example(
        "s3-endpoint", "aws:ec2/vpcEndpoint:VpcEndpoint",
        {"vpcId": "{vpc.id}", "serviceName": "com.amazonaws.us-east-1.s3", "routeTableIds": ["{rtb.id}"]},
        {"routeTableIds": ["{rtb.id}", "{rtb-private.id}"]}, frozenset({"routeTableIds[1]"}),
        ("arn", "prefixListId", "state"),
    ),
    Example(
        "ecr-endpoint", "aws:ec2/vpcEndpoint:VpcEndpoint",
        {
            "vpcId": "{vpc.id}", "serviceName": "com.amazonaws.us-east-1.ecr.api", "vpcEndpointType": "Interface",
            "subnetIds": ["{subnet.id}"], "securityGroupIds": ["{group.id}"], "privateDnsEnabled": True,
        },
        {"tags": {"x": "y"}}, frozenset({"tags"}), ("arn", "dnsEntries"),
    ),
    Example("key", "aws:kms/key:Key", {"description": "cluster", "enableKeyRotation": True, "deletionWindowInDays": 7},
            {"description": "all"}, frozenset({"description"}), ("arn", "keyId", "policy")),
    Example("replica", "aws:kms/replicaKey:ReplicaKey",
            {"primaryKeyArn": "{primary.arn}", "description": "there", "policy": json.dumps(_ALLOW),
             "deletionWindowInDays": 7},
            {"description": "here"}, frozenset({"description"}), ("arn", "keyId", "keySpec")),
    Example("alias", "aws:kms/alias:Alias", {"name": "alias/dc", "targetKeyId": "{key.keyId}"}, None,
            outputs=("arn", "targetKeyArn")),
    Example(
        "logs", "aws:cloudwatch/logGroup:LogGroup",
        {"name": "/aws/vpc/dc", "retentionInDays": 30, "kmsKeyId": "{key.arn}", "tags": {"a": "b"}},
        {"retentionInDays": 90}, frozenset({"retentionInDays"}), ("arn",),
    ),
    Example(
        "role", "aws:iam/role:Role",
        {"assumeRolePolicy": json.dumps(_TRUST), "description": "cluster", "tags": {"a": "b"}},
        {"description": "the cluster"}, frozenset({"description"}), ("arn", "name", "uniqueId"),
    ),
    Example(
        "policy", "aws:iam/rolePolicy:RolePolicy", {"role": "{role.name}", "policy": json.dumps(_ALLOW)},
        {"policy": json.dumps(_DENY)}, frozenset({"policy"}), ("name",),
    ),
    Example(
        "certificate", "aws:acm/certificate:Certificate", {"domainName": "llm.example.com", "validationMethod": "DNS"},
        {"tags": {"Name": "llm"}}, frozenset({"tags"}), ("arn", "domainValidationOptions"),
    ),
    Example(
        "proof", "aws:route53/record:Record",
        {"zoneId": "{zone.id}", "name": "_d930b28be6c5927595552b219965053e.llm.example.com.", "type": "CNAME",
         "ttl": 300, "allowOverwrite": True,
         "records": ["_c9edd76ee4a0e2a74388032f3861cc50.ykybfrwcxw.acm-validations.aws."]},
        {"ttl": 60}, frozenset({"ttl"}), ("fqdn",),
    ),
    Example(
        "issued", "aws:acm/certificateValidation:CertificateValidation",
        {"certificateArn": "{certificate.arn}", "validationRecordFqdns": ["{proof.fqdn}"]}, None,
        outputs=("certificateArn",), stays=True,
    ),
    Example(
        "balancer", "aws:lb/loadBalancer:LoadBalancer",
        {
            "loadBalancerType": "application", "internal": True, "subnets": ["{subnet.id}", "{subnet-b.id}"],
            "securityGroups": ["{group.id}"], "enableDeletionProtection": False, "dropInvalidHeaderFields": True,
            "idleTimeout": 120, "accessLogs": {"bucket": "logs", "enabled": True},
        },
        {"idleTimeout": 600, "securityGroups": ["{efa.id}"], "accessLogs": {"bucket": "logs", "enabled": False}},
        frozenset({"idleTimeout", "securityGroups[0]", "accessLogs.enabled"}), ("arn", "dnsName", "zoneId", "name"),
    ),
    Example(
        "network-balancer", "aws:lb/loadBalancer:LoadBalancer",
        {"loadBalancerType": "network", "internal": False, "subnets": ["{subnet.id}"], "securityGroups": ["{group.id}"],
         "enableCrossZoneLoadBalancing": True},
        {"enableCrossZoneLoadBalancing": False}, frozenset({"enableCrossZoneLoadBalancing"}), ("arn",),
    ),
    Example(
        "targets", "aws:lb/targetGroup:TargetGroup",
        {
            "targetType": "ip", "port": 8080, "protocol": "HTTP", "vpcId": "{vpc.id}", "deregistrationDelay": 60,
            "healthCheck": {"protocol": "HTTP", "port": "traffic-port", "path": "/healthz", "matcher": "200-399",
                            "interval": 15, "timeout": 5, "healthyThreshold": 3, "unhealthyThreshold": 3},
        },
        {
            "deregistrationDelay": 300,
            "healthCheck": {"protocol": "HTTP", "port": "traffic-port", "path": "/ready", "matcher": "200",
                            "interval": 30, "timeout": 6, "healthyThreshold": 2, "unhealthyThreshold": 4},
        },
        frozenset({"deregistrationDelay", *(f"healthCheck.{one}" for one in (
            "path", "matcher", "interval", "timeout", "healthyThreshold", "unhealthyThreshold"))}),
        ("arn", "arnSuffix", "name"),
    ),
    Example(
        "tcp-targets", "aws:lb/targetGroup:TargetGroup",
        {"targetType": "ip", "port": 9000, "protocol": "TCP", "vpcId": "{vpc.id}",
         "healthCheck": {"protocol": "TCP", "port": "traffic-port", "interval": 15, "timeout": 5}},
        {"healthCheck": {"protocol": "TCP", "port": "traffic-port", "interval": 10, "timeout": 5}},
        frozenset({"healthCheck.interval"}),
    ),
    Example(
        "listener", "aws:lb/listener:Listener",
        {
            "loadBalancerArn": "{balancer.arn}", "port": 443, "protocol": "HTTPS",
            "certificateArn": "{issued.certificateArn}",
            "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
            "defaultActions": [{"type": "forward", "targetGroupArn": "{targets.arn}"}],
        },
        {"sslPolicy": "ELBSecurityPolicy-TLS13-1-3-2021-06"}, frozenset({"sslPolicy"}), ("arn",),
    ),
    Example(
        "redirect", "aws:lb/listener:Listener",
        {
            "loadBalancerArn": "{balancer.arn}", "port": 80, "protocol": "HTTP",
            "defaultActions": [{"type": "redirect",
                                "redirect": {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}}],
        },
        {"defaultActions": [{"type": "redirect",
                             "redirect": {"protocol": "HTTPS", "port": "8443", "statusCode": "HTTP_301"}}]},
        frozenset({"defaultActions[0].redirect.port"}),
    ),
    Example(
        "tcp-listener", "aws:lb/listener:Listener",
        {"loadBalancerArn": "{network-balancer.arn}", "port": 80, "protocol": "TCP", "tcpIdleTimeoutSeconds": 600,
         "defaultActions": [{"type": "forward", "targetGroupArn": "{tcp-targets.arn}"}]},
        {"tcpIdleTimeoutSeconds": 900}, frozenset({"tcpIdleTimeoutSeconds"}),
    ),
    Example(
        "tls-listener", "aws:lb/listener:Listener",
        {"loadBalancerArn": "{network-balancer.arn}", "port": 443, "protocol": "TLS",
         "certificateArn": "{issued.certificateArn}", "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
         "defaultActions": [{"type": "forward", "targetGroupArn": "{tcp-targets.arn}"}]},
        {"tags": {"a": "b"}}, frozenset({"tags"}),
    ),
    Example(
        "alias-record", "aws:route53/record:Record",
        {"zoneId": "{zone.id}", "name": "*.llm.example.com", "type": "A",
         "aliases": [{"name": "{balancer.dnsName}", "zoneId": "{balancer.zoneId}", "evaluateTargetHealth": True}]},
        {"aliases": [{"name": "{balancer.dnsName}", "zoneId": "{balancer.zoneId}", "evaluateTargetHealth": False}]},
        frozenset({"aliases[0].evaluateTargetHealth"}), ("fqdn",),
    ),
    Example(
        "probe", "aws:route53/healthCheck:HealthCheck",
        {"type": "HTTPS", "fqdn": "{balancer.dnsName}", "port": 443, "resourcePath": "/healthz", "requestInterval": 30,
         "failureThreshold": 3, "enableSni": True, "regions": ["us-east-1", "eu-west-1", "ap-southeast-1"]},
        {"failureThreshold": 2, "resourcePath": "/ready"}, frozenset({"failureThreshold", "resourcePath"}), ("arn",),
    ),
    Example(
        "alarm-check", "aws:route53/healthCheck:HealthCheck",
        {"type": "CLOUDWATCH_METRIC", "cloudwatchAlarmName": "dc-targets", "cloudwatchAlarmRegion": "us-east-1",
         "insufficientDataHealthStatus": "Unhealthy"},
        {"insufficientDataHealthStatus": "LastKnownStatus"}, frozenset({"insufficientDataHealthStatus"}), ("arn",),
    ),
    Example(
        "all-checks", "aws:route53/healthCheck:HealthCheck",
        {"type": "CALCULATED", "childHealthchecks": ["{probe.id}", "{alarm-check.id}"], "childHealthThreshold": 2},
        {"childHealthThreshold": 1}, frozenset({"childHealthThreshold"}), ("arn",),
    ),
    Example(
        "primary-record", "aws:route53/record:Record",
        {"zoneId": "{zone.id}", "name": "over.example.com", "type": "A", "setIdentifier": "dc-primary",
         "failoverRoutingPolicies": [{"type": "PRIMARY"}], "healthCheckId": "{all-checks.id}",
         "aliases": [{"name": "{balancer.dnsName}", "zoneId": "{balancer.zoneId}", "evaluateTargetHealth": True}]},
        {"healthCheckId": "{probe.id}"}, frozenset({"healthCheckId"}), ("fqdn",),
    ),
    Example(
        "secondary-record", "aws:route53/record:Record",
        {"zoneId": "{zone.id}", "name": "over.example.com", "type": "A", "setIdentifier": "dc-secondary",
         "failoverRoutingPolicies": [{"type": "SECONDARY"}],
         "aliases": [{"name": "{network-balancer.dnsName}", "zoneId": "{network-balancer.zoneId}",
                      "evaluateTargetHealth": True}]},
        {"aliases": [{"name": "{network-balancer.dnsName}", "zoneId": "{network-balancer.zoneId}",
                      "evaluateTargetHealth": False}]},
        frozenset({"aliases[0].evaluateTargetHealth"}), ("fqdn",),
    ),
    Example(
        "web-acl", "aws:wafv2/webAcl:WebAcl",
        {
            "name": "dc", "scope": "REGIONAL", "defaultAction": {"allow": {}}, "visibilityConfig": _VISIBILITY,
            "rules": [{"name": "common", "priority": 0, "overrideAction": {"none": {}}, "visibilityConfig": _VISIBILITY,
                       "statement": {"managedRuleGroupStatement": {
                           "vendorName": "AWS", "name": "AWSManagedRulesCommonRuleSet", "ruleActionOverrides": [
                               {"name": "SizeRestrictions_BODY", "actionToUse": {"count": {}}}]}}}],
        },
        {"defaultAction": {"block": {}}}, frozenset({"defaultAction.allow", "defaultAction.block"}), ("arn",),
    ),
    Example(
        "web-acl-association", "aws:wafv2/webAclAssociation:WebAclAssociation",
        {"webAclArn": "{web-acl.arn}", "resourceArn": "{balancer.arn}"}, None, outputs=("webAclArn",),
    ),
    Example("attach", "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
            {"role": "{role.name}", "policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"}),
    Example(
        "oidc", "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        {"url": "https://oidc.eks.us-east-1.amazonaws.com/id/ABC", "clientIdLists": ["sts.amazonaws.com"]},
        {"tags": {"x": "y"}}, frozenset({"tags"}), ("arn",),
    ),
    Example(
        "flow", "aws:ec2/flowLog:FlowLog",
        {"vpcId": "{vpc.id}", "trafficType": "ALL", "logDestination": "{logs.arn}", "iamRoleArn": "{role.arn}"},
        {"tags": {"x": "y"}}, frozenset({"tags"}), ("arn",),
    ),
    Example(
        "template", "aws:ec2/launchTemplate:LaunchTemplate",
        {
            "blockDeviceMappings": [
                {"deviceName": "/dev/xvda", "ebs": {"volumeSize": 200, "volumeType": "gp3", "encrypted": "true",
                                                    "kmsKeyId": "{key.arn}", "deleteOnTermination": "true"}}
            ],
            "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1, "httpEndpoint": "enabled"},
            "networkInterfaces": [
                {"networkCardIndex": 0, "deviceIndex": 0, "interfaceType": "interface", "securityGroups": ["{efa.id}"]},
                {"networkCardIndex": 1, "deviceIndex": 0, "interfaceType": "efa-only", "securityGroups": ["{efa.id}"]},
            ],
            "instanceType": "t3.large",
            "tagSpecifications": [{"resourceType": "instance", "tags": {"Name": "node"}}],
            "updateDefaultVersion": True,
        },
        {"metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 2, "httpEndpoint": "enabled"}},
        frozenset({"metadataOptions.httpPutResponseHopLimit"}), ("arn", "latestVersion", "defaultVersion", "name"),
    ),
    Example(
        "profile", "aws:iam/instanceProfile:InstanceProfile", {"name": "server", "role": "{role.name}"},
        {"tags": {"a": "b"}}, frozenset({"tags"}), ("arn", "uniqueId"),
    ),
    Example(
        "server", "aws:ec2/instance:Instance",
        {
            "ami": "ami-0123456789abcdef0", "instanceType": "m7i.large", "subnetId": "{subnet.id}",
            "vpcSecurityGroupIds": ["{group.id}"], "iamInstanceProfile": "{profile.name}", "userData": "#!/bin/sh\n",
            "rootBlockDevice": {"volumeSize": 20, "volumeType": "gp3", "encrypted": True, "kmsKeyId": "{key.arn}",
                                "deleteOnTermination": True},
            "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1, "httpEndpoint": "enabled"},
            "tags": {"Name": "server"},
        },
        {"instanceType": "m7i.xlarge", "vpcSecurityGroupIds": ["{efa.id}"],
         "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 2, "httpEndpoint": "enabled"}},
        frozenset({"instanceType", "vpcSecurityGroupIds[0]", "metadataOptions.httpPutResponseHopLimit"}),
        ("arn", "privateIp", "availabilityZone", "instanceState"),
    ),
    Example("placement", "aws:ec2/placementGroup:PlacementGroup", {"name": "pg", "strategy": "cluster"},
            {"tags": {"a": "b"}}, frozenset({"tags"}), ("arn", "placementGroupId")),
    Example("bucket", "aws:s3/bucket:Bucket", {"forceDestroy": True, "tags": {"a": "b"}}, {"tags": {"a": "c"}},
            frozenset({"tags.a"}), ("arn", "bucket", "bucketDomainName", "bucketRegionalDomainName", "hostedZoneId")),
    Example(
        "versioning", "aws:s3/bucketVersioning:BucketVersioning",
        {"bucket": "{bucket.id}", "versioningConfiguration": {"status": "Enabled"}},
        {"versioningConfiguration": {"status": "Suspended"}}, frozenset({"versioningConfiguration.status"}), stays=True,
    ),
    Example(
        "encryption",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        {
            "bucket": "{bucket.id}",
            "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "{key.arn}"},
                       "bucketKeyEnabled": True}],
        },
        {"rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}, "bucketKeyEnabled": True}]},
        frozenset({"rules[0].applyServerSideEncryptionByDefault.kmsMasterKeyId",
                   "rules[0].applyServerSideEncryptionByDefault.sseAlgorithm"}),
    ),
    Example(
        "block", "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        {"bucket": "{bucket.id}", "blockPublicAcls": True, "blockPublicPolicy": True, "ignorePublicAcls": True,
         "restrictPublicBuckets": True},
        {"restrictPublicBuckets": False}, frozenset({"restrictPublicBuckets"}),
    ),
    Example(
        "lifecycle", "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
        {
            "bucket": "{bucket.id}",
            "rules": [
                {"id": "old", "status": "Enabled", "filter": {"prefix": "data/"},
                 "noncurrentVersionExpiration": {"noncurrentDays": 30},
                 "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
                 "transitions": [{"days": 30, "storageClass": "INTELLIGENT_TIERING"}]}
            ],
        },
        {
            "rules": [
                {"id": "old", "status": "Enabled", "filter": {"prefix": "data/"},
                 "noncurrentVersionExpiration": {"noncurrentDays": 60},
                 "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
                 "transitions": [{"days": 30, "storageClass": "INTELLIGENT_TIERING"}]}
            ],
        },
        frozenset({"rules[0].noncurrentVersionExpiration.noncurrentDays"}),
    ),
    Example(
        "ownership", "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        {"bucket": "{bucket.id}", "rule": {"objectOwnership": "BucketOwnerEnforced"}},
        {"rule": {"objectOwnership": "BucketOwnerPreferred"}}, frozenset({"rule.objectOwnership"}),
    ),
    Example("bucket-policy", "aws:s3/bucketPolicy:BucketPolicy",
            {"bucket": "{bucket.id}", "policy": json.dumps(_ALLOW)},
            {"policy": json.dumps(_DENY)}, frozenset({"policy"})),
    Example("locked", "aws:s3/bucket:Bucket", {"objectLockEnabled": True, "forceDestroy": True}, {"tags": {"a": "b"}},
            frozenset({"tags"})),
    Example(
        "lock", "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        {"bucket": "{locked.id}", "objectLockEnabled": "Enabled",
         "rule": {"defaultRetention": {"mode": "GOVERNANCE", "days": 3}}},
        {"rule": {"defaultRetention": {"mode": "GOVERNANCE", "days": 5}}},
        frozenset({"rule.defaultRetention.days"}), stays=True,
    ),
    Example("replica-bucket", "aws:s3/bucket:Bucket", {"objectLockEnabled": True, "forceDestroy": True},
            {"tags": {"a": "b"}}, frozenset({"tags"})),
    Example(
        "replication", "aws:s3/bucketReplicationConfig:BucketReplicationConfig",
        {"bucket": "{locked.id}", "role": "{role.arn}", "rules": [_REPLICATION]},
        {"rules": [{**_REPLICATION, "deleteMarkerReplication": {"status": "Disabled"}}]},
        frozenset({"rules[0].deleteMarkerReplication.status"}),
    ),
    Example(
        "object", "aws:s3/bucketObjectv2:BucketObjectv2",
        {"bucket": "{bucket.id}", "key": "config/a.json", "content": "{}", "contentType": "application/json"},
        {"content": '{"a": 1}'}, frozenset({"content"}), ("etag", "arn"),
    ),
    Example(
        "efs", "aws:efs/fileSystem:FileSystem",
        {"encrypted": True, "kmsKeyId": "{key.arn}", "throughputMode": "elastic", "tags": {"Name": "homes"},
         "lifecyclePolicies": [{"transitionToIa": "AFTER_30_DAYS"},
                               {"transitionToPrimaryStorageClass": "AFTER_1_ACCESS"}]},
        {"throughputMode": "bursting", "lifecyclePolicies": [{"transitionToIa": "AFTER_7_DAYS"}]},
        frozenset({"throughputMode", "lifecyclePolicies[0].transitionToIa", "lifecyclePolicies[1]"}),
        ("arn", "dnsName", "creationToken", "ownerId"),
    ),
    Example(
        "efs-target", "aws:efs/mountTarget:MountTarget",
        {"fileSystemId": "{efs.id}", "subnetId": "{subnet.id}", "securityGroups": ["{group.id}"]},
        {"securityGroups": ["{efa.id}"]}, frozenset({"securityGroups[0]"}), ("ipAddress", "dnsName"),
    ),
    Example(
        "efs-point", "aws:efs/accessPoint:AccessPoint",
        {"fileSystemId": "{efs.id}", "posixUser": {"uid": 1000, "gid": 1000},
         "rootDirectory": {"path": "/home", "creationInfo": {"ownerUid": 1000, "ownerGid": 1000,
                                                             "permissions": "0750"}}},
        {"tags": {"a": "b"}}, frozenset({"tags"}), ("arn", "fileSystemArn"),
    ),
    Example("efs-policy", "aws:efs/fileSystemPolicy:FileSystemPolicy",
            {"fileSystemId": "{efs.id}", "policy": json.dumps(_ALLOW)},
            {"policy": json.dumps(_DENY)}, frozenset({"policy"})),
    Example("efs-backup", "aws:efs/backupPolicy:BackupPolicy",
            {"fileSystemId": "{efs.id}", "backupPolicy": {"status": "ENABLED"}},
            {"backupPolicy": {"status": "DISABLED"}}, frozenset({"backupPolicy.status"})),
    Example(
        "efs-replication", "aws:efs/replicationConfiguration:ReplicationConfiguration",
        {"sourceFileSystemId": "{efs.id}", "destination": {"region": "us-west-2", "kmsKeyId": "{key.arn}"}}, None,
        outputs=("sourceFileSystemArn", "sourceFileSystemRegion"),
    ),
    Example(
        "lustre", "aws:fsx/lustreFileSystem:LustreFileSystem",
        {
            "subnetIds": "{subnet.id}", "securityGroupIds": ["{group.id}"], "deploymentType": "PERSISTENT_2",
            "storageType": "SSD", "storageCapacity": 1200, "fileSystemTypeVersion": "2.15", "kmsKeyId": "{key.arn}",
            "perUnitStorageThroughput": 250, "dataCompressionType": "LZ4", "efaEnabled": False,
            "metadataConfiguration": {"mode": "AUTOMATIC"}, "automaticBackupRetentionDays": 7,
            "copyTagsToBackups": True, "skipFinalBackup": False,
            "logConfiguration": {"destination": "{logs.arn}", "level": "WARN_ERROR"},
        },
        {"storageCapacity": 2400, "perUnitStorageThroughput": 500, "automaticBackupRetentionDays": 0},
        frozenset({"storageCapacity", "perUnitStorageThroughput", "automaticBackupRetentionDays"}),
        ("arn", "dnsName", "mountName", "vpcId"),
    ),
    Example(
        "lustre-link", "aws:fsx/dataRepositoryAssociation:DataRepositoryAssociation",
        {
            "fileSystemId": "{lustre.id}", "fileSystemPath": "/data", "dataRepositoryPath": "s3://data/tokens/",
            "batchImportMetaDataOnCreate": True, "deleteDataInFilesystem": False,
            "s3": {"autoImportPolicy": {"events": ["NEW", "CHANGED"]}, "autoExportPolicy": {"events": ["NEW"]}},
        },
        {"s3": {"autoImportPolicy": {"events": ["NEW", "CHANGED"]}, "autoExportPolicy": {"events": ["DELETED"]}}},
        frozenset({"s3.autoExportPolicy.events[0]"}), ("arn", "associationId"),
    ),
    Example(
        "association", "aws:ssm/association:Association",
        {
            "name": "AWS-ApplyAnsiblePlaybooks", "associationName": "dc-nodes", "maxErrors": "100%",
            "targets": [{"key": "tag:team", "values": ["dc"]}],
            "parameters": {"SourceType": "S3", "SourceInfo": '{"path": "https://s3.us-east-1.amazonaws.com/b/k.zip"}',
                           "PlaybookFile": "site.yml", "Check": "False"},
        },
        {"maxErrors": "50%"}, frozenset({"maxErrors"}), ("arn", "associationId", "documentVersion"),
    ),
    Example(
        "repository", "aws:ecr/repository:Repository",
        {
            "name": "dc/train", "imageTagMutability": "IMMUTABLE", "imageScanningConfiguration": {"scanOnPush": True},
            "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": "{key.arn}"}],
        },
        {"imageTagMutability": "MUTABLE"}, frozenset({"imageTagMutability"}), ("arn", "repositoryUrl", "registryId"),
    ),
    Example(
        "topic", "aws:sns/topic:Topic", {"name": "dc-alerts", "kmsMasterKeyId": "{key.arn}"},
        {"displayName": "alerts"}, frozenset({"displayName"}), ("arn", "owner", "policy"),
    ),
    Example(
        "topic-policy", "aws:sns/topicPolicy:TopicPolicy",
        {"arn": "{topic.arn}", "policy": json.dumps({**_ALLOW, "Statement": [{**_PUBLISH, "Sid": "one"}]})},
        {"policy": json.dumps({**_ALLOW, "Statement": [{**_PUBLISH, "Sid": "two"}]})},
        frozenset({"policy"}), ("owner",),
    ),
    Example(
        "subscription", "aws:sns/topicSubscription:TopicSubscription",
        {"topic": "{topic.arn}", "protocol": "email", "endpoint": "oncall@example.com"},
        outputs=("arn", "pendingConfirmation"),
    ),
    Example(
        "queue", "aws:sqs/queue:Queue",
        {"name": "dc-karpenter", "messageRetentionSeconds": 300, "sqsManagedSseEnabled": True},
        {"messageRetentionSeconds": 600}, frozenset({"messageRetentionSeconds"}),
        ("arn", "url", "visibilityTimeoutSeconds"),
    ),
    Example(
        "queue-policy", "aws:sqs/queuePolicy:QueuePolicy",
        {"queueUrl": "{queue.url}", "policy": json.dumps({**_ALLOW, "Statement": [{**_WRITE, "Sid": "one"}]})},
        {"policy": json.dumps({**_ALLOW, "Statement": [{**_WRITE, "Sid": "two"}]})}, frozenset({"policy"}),
    ),
    Example(
        "alarm", "aws:cloudwatch/metricAlarm:MetricAlarm",
        {
            "name": "dc-nat", "namespace": "AWS/NATGateway", "metricName": "ErrorPortAllocation", "statistic": "Sum",
            "dimensions": {"NatGatewayId": "nat-1"}, "period": 60, "evaluationPeriods": 5, "datapointsToAlarm": 5,
            "threshold": 0, "comparisonOperator": "GreaterThanThreshold", "treatMissingData": "notBreaching",
            "alarmDescription": "no ports", "alarmActions": ["{topic.arn}"], "okActions": ["{topic.arn}"],
        },
        {"threshold": 3}, frozenset({"threshold"}), ("arn",),
    ),
    Example(
        "dashboard", "aws:cloudwatch/dashboard:Dashboard", {"dashboardName": "dc", "dashboardBody": '{"widgets": []}'},
        {"dashboardBody": json.dumps({"widgets": [{"type": "text", "properties": {"markdown": "a"}}]})},
        frozenset({"dashboardBody"}), ("dashboardArn",),
    ),
    Example(
        "rule", "aws:cloudwatch/eventRule:EventRule",
        {"name": "dc-health", "eventPattern": '{"source": ["aws.health"]}', "description": "one"},
        {"eventPattern": '{"source": ["aws.ec2"]}'}, frozenset({"eventPattern"}), ("arn", "state"),
    ),
    Example(
        "rule-target", "aws:cloudwatch/eventTarget:EventTarget",
        {"rule": "{rule.name}", "targetId": "alerts", "arn": "{topic.arn}"},
        {"input": '{"a": 1}'}, frozenset({"input"}),
    ),
    Example(
        "trail", "aws:cloudtrail/trail:Trail",
        {
            "name": "dc-trail", "s3BucketName": "{bucket.bucket}", "isMultiRegionTrail": True, "enableLogging": True,
            "enableLogFileValidation": True, "includeGlobalServiceEvents": True, "kmsKeyId": "{key.arn}",
            "advancedEventSelectors": [
                {"name": "calls", "fieldSelectors": [{"field": "eventCategory", "equals": ["Management"]}]},
                {"name": "objects", "fieldSelectors": [
                    {"field": "eventCategory", "equals": ["Data"]},
                    {"field": "resources.ARN", "startsWiths": ["{bucket.arn}"]},
                ]},
            ],
        },
        {"enableLogging": False}, frozenset({"enableLogging"}), ("arn", "homeRegion"),
    ),
    Example(
        "detector", "aws:guardduty/detector:Detector", {"enable": True, "findingPublishingFrequency": "ONE_HOUR"},
        {"findingPublishingFrequency": "FIFTEEN_MINUTES"}, frozenset({"findingPublishingFrequency"}),
        ("arn", "accountId"),
    ),
    Example(
        "detector-feature", "aws:guardduty/detectorFeature:DetectorFeature",
        {"detectorId": "{detector.id}", "name": "RUNTIME_MONITORING", "status": "ENABLED",
         "additionalConfigurations": [{"name": "EKS_ADDON_MANAGEMENT", "status": "ENABLED"}]},
        {"status": "DISABLED"}, frozenset({"status"}),
    ),
    Example(
        "budget", "aws:budgets/budget:Budget",
        {
            "name": "dc", "budgetType": "COST", "timeUnit": "MONTHLY", "limitAmount": "100.0", "limitUnit": "USD",
            "notifications": [
                {"comparisonOperator": "GREATER_THAN", "notificationType": "ACTUAL", "threshold": 80,
                 "thresholdType": "PERCENTAGE", "subscriberSnsTopicArns": ["{topic.arn}"]},
            ],
        },
        {"limitAmount": "200.0"}, frozenset({"limitAmount"}), ("arn", "accountId"),
    ),
    Example("ecr-lifecycle", "aws:ecr/lifecyclePolicy:LifecyclePolicy",
            {"repository": "{repository.name}", "policy": json.dumps(_LIFECYCLE)},
            {"policy": json.dumps(_LIFECYCLE).replace("14", "30")}, frozenset({"policy"}), ("registryId",)),
    Example(
        "ecr-replication", "aws:ecr/replicationConfiguration:ReplicationConfiguration",
        {"replicationConfiguration": {"rules": [_IMAGES]}},
        {"replicationConfiguration": {"rules": [{**_IMAGES, "repositoryFilters": [
            {"filter": "dc", "filterType": "PREFIX_MATCH"}]}]}},
        frozenset({"replicationConfiguration.rules[0].repositoryFilters[0].filter"}), ("registryId",),
    ),
    Example(
        "ecr-scanning", "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration",
        {"scanType": "BASIC", "rules": [{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [
            {"filter": "*", "filterType": "WILDCARD"}]}]},
        {"scanType": "ENHANCED"}, frozenset({"scanType"}), ("registryId",),
    ),
    Example("ecr-policy", "aws:ecr/repositoryPolicy:RepositoryPolicy",
            {"repository": "{repository.name}", "policy": json.dumps({**_ALLOW, "Statement": [
                {"Sid": "pull", "Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}]})},
            {"policy": json.dumps({**_ALLOW, "Statement": [
                {"Sid": "pull", "Effect": "Deny", "Principal": "*", "Action": "ecr:BatchGetImage"}]})},
            frozenset({"policy"})),
    Example(
        "cluster", "aws:eks/cluster:Cluster",
        {
            "name": "dc", "roleArn": "{role.arn}", "version": "1.34", "enabledClusterLogTypes": ["api", "audit"],
            "vpcConfig": {"subnetIds": ["{subnet.id}", "{subnet-b.id}"], "endpointPrivateAccess": True,
                          "endpointPublicAccess": False},
            "encryptionConfig": {"provider": {"keyArn": "{key.arn}"}, "resources": ["secrets"]},
            "accessConfig": {"authenticationMode": "API"},
            "kubernetesNetworkConfig": {"serviceIpv4Cidr": "172.20.0.0/16"},
            "tags": {"a": "b"},
        },
        {"enabledClusterLogTypes": ["api", "audit", "authenticator"]}, frozenset({"enabledClusterLogTypes[2]"}),
        ("arn", "endpoint", "certificateAuthority", "identities", "status", "platformVersion"),
    ),
    Example(
        "nodes", "aws:eks/nodeGroup:NodeGroup",
        {
            "clusterName": "{cluster.name}", "nodeGroupName": "workers", "nodeRoleArn": "{role.arn}",
            "subnetIds": ["{subnet.id}", "{subnet-b.id}"], "launchTemplate": {"id": "{template.id}", "version": "1"},
            "scalingConfig": {"minSize": 0, "maxSize": 3, "desiredSize": 1}, "amiType": "AL2023_x86_64_STANDARD",
            "labels": {"pool": "workers"}, "updateConfig": {"maxUnavailable": 1},
            "taints": [{"key": "nvidia.com/gpu", "value": "true", "effect": "NO_SCHEDULE"}],
        },
        {"scalingConfig": {"minSize": 0, "maxSize": 3, "desiredSize": 2}}, frozenset({"scalingConfig.desiredSize"}),
        ("arn", "status", "resources"),
    ),
    Example(
        "kept-nodes", "aws:eks/nodeGroup:NodeGroup",
        {
            "clusterName": "{cluster.name}", "nodeGroupName": "kept", "nodeRoleArn": "{role.arn}",
            "subnetIds": ["{subnet.id}"], "scalingConfig": {"minSize": 0, "maxSize": 3, "desiredSize": 0},
            "nodeRepairConfig": {"enabled": True, "maxParallelNodesRepairedCount": 1},
            "warmPoolConfig": {"minSize": 1, "poolState": "STOPPED"},
        },
        {"nodeRepairConfig": {"enabled": True, "maxParallelNodesRepairedCount": 2}, "warmPoolConfig": None},
        frozenset({"nodeRepairConfig.maxParallelNodesRepairedCount", "warmPoolConfig"}),
    ),
    Example(
        "schedule", "aws:autoscaling/schedule:Schedule",
        {
            "autoscalingGroupName": "eks-workers", "scheduledActionName": "workers-drain-20261215T1030Z",
            "recurrence": "30 10 15 12 *", "timeZone": "UTC", "desiredCapacity": 0, "minSize": -1, "maxSize": -1,
        },
        {"desiredCapacity": 2}, frozenset({"desiredCapacity"}), ("arn",),
    ),
    Example(
        "addon", "aws:eks/addon:Addon",
        {"clusterName": "{cluster.name}", "addonName": "vpc-cni", "addonVersion": "v1.20.4-eksbuild.2",
         "resolveConflictsOnUpdate": "PRESERVE"},
        {"addonVersion": "v1.21.0-eksbuild.1"}, frozenset({"addonVersion"}), ("arn", "createdAt"),
    ),
    Example(
        "entry", "aws:eks/accessEntry:AccessEntry", {"clusterName": "{cluster.name}", "principalArn": "{role.arn}"},
        {"kubernetesGroups": ["admins"]}, frozenset({"kubernetesGroups"}), ("accessEntryArn", "userName", "type"),
    ),
    Example(
        "entry-policy", "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        {
            "clusterName": "{cluster.name}", "principalArn": "{role.arn}", "accessScope": {"type": "cluster"},
            "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
        },
        None, outputs=("associatedAt",),
    ),
    Example(
        "identity", "aws:eks/podIdentityAssociation:PodIdentityAssociation",
        {"clusterName": "{cluster.name}", "namespace": "train", "serviceAccount": "train", "roleArn": "{role.arn}"},
        {"tags": {"a": "b"}}, frozenset({"tags"}), ("associationId", "associationArn"),
    ),
    Example("vault", "aws:backup/vault:Vault", {"name": "dc-backups", "kmsKeyArn": "{key.arn}", "forceDestroy": True},
            {"tags": {"a": "b"}}, frozenset({"tags"}), ("arn", "kmsKeyArn")),
    Example("vault-lock", "aws:backup/vaultLockConfiguration:VaultLockConfiguration",
            {"backupVaultName": "{vault.name}", "minRetentionDays": 7, "maxRetentionDays": 365,
             "changeableForDays": 3}, None, outputs=("backupVaultArn",)),
    Example("vault-topic", "aws:backup/vaultNotifications:VaultNotifications",
            {"backupVaultName": "{vault.name}", "snsTopicArn": "arn:aws:sns:us-east-1:123456789012:alerts",
             "backupVaultEvents": ["BACKUP_JOB_FAILED"]}, None, outputs=("backupVaultArn",)),
    Example(
        "backup-plan", "aws:backup/plan:Plan",
        {
            "name": "dc-daily",
            "rules": [
                {"ruleName": "daily", "targetVaultName": "{vault.name}", "schedule": "cron(0 3 * * ? *)",
                 "startWindow": 60, "completionWindow": 720, "enableContinuousBackup": False,
                 "lifecycle": {"coldStorageAfter": 30, "deleteAfter": 120},
                 "copyActions": [{"destinationVaultArn": "{vault.arn}", "lifecycle": {"deleteAfter": 35}}]}
            ],
        },
        {
            "rules": [
                {"ruleName": "daily", "targetVaultName": "{vault.name}", "schedule": "cron(0 3 * * ? *)",
                 "startWindow": 60, "completionWindow": 720, "enableContinuousBackup": False,
                 "lifecycle": {"deleteAfter": 35}}
            ],
        },
        frozenset({"rules[0].lifecycle.coldStorageAfter", "rules[0].lifecycle.deleteAfter", "rules[0].copyActions"}),
        ("arn", "version"),
    ),
    Example("backup-selection", "aws:backup/selection:Selection",
            {"name": "dc-daily", "planId": "{backup-plan.id}", "iamRoleArn": "{role.arn}",
             "resources": ["{bucket.arn}", "{efs.arn}"]}),
    Example(
        "restore-test", "aws:backup/restoreTestingPlan:RestoreTestingPlan",
        {
            "name": "dc", "scheduleExpression": "cron(0 6 ? * SUN *)", "startWindowHours": 8,
            "recoveryPointSelection": {"algorithm": "LATEST_WITHIN_WINDOW", "includeVaults": ["{vault.arn}"],
                                       "recoveryPointTypes": ["SNAPSHOT"], "selectionWindowDays": 30},
        },
        {"startWindowHours": 4}, frozenset({"startWindowHours"}), ("arn",),
    ),
    Example("restore-test-efs", "aws:backup/restoreTestingSelection:RestoreTestingSelection",
            {"name": "dc_efs", "restoreTestingPlanName": "{restore-test.name}", "iamRoleArn": "{role.arn}",
             "protectedResourceType": "EFS", "protectedResourceArns": ["{efs.arn}"], "validationWindowHours": 4},
            {"validationWindowHours": 1}, frozenset({"validationWindowHours"})),
    Example(
        "logs-policy", "aws:cloudwatch/logResourcePolicy:LogResourcePolicy",
        {"policyName": "dc-datasync", "policyDocument": json.dumps(_LOGS)},
        {"policyDocument": json.dumps(_DENY)}, frozenset({"policyDocument"}),
    ),
    Example(
        "from-nfs", "aws:datasync/nfsLocation:NfsLocation",
        {"serverHostname": "nas.example.com", "subdirectory": "/export/crawl", "onPremConfig": {"agentArns": [_AGENT]}},
        {"subdirectory": "/export/books"}, frozenset({"subdirectory"}), ("arn", "uri"),
    ),
    Example(
        "to-s3", "aws:datasync/s3Location:S3Location",
        {"s3BucketArn": "{bucket.arn}", "subdirectory": "raw/", "s3Config": {"bucketAccessRoleArn": "{role.arn}"}},
        {"tags": {"x": "y"}}, frozenset({"tags"}), ("arn", "uri"),
    ),
    Example(
        "to-efs", "aws:datasync/efsLocation:EfsLocation",
        {"efsFileSystemArn": "{efs.arn}", "subdirectory": "/crawl", "inTransitEncryption": "TLS1_2",
         "fileSystemAccessRoleArn": "{role.arn}",
         "ec2Config": {"subnetArn": "{subnet.arn}", "securityGroupArns": ["{group.arn}"]}},
        {"tags": {"x": "y"}}, frozenset({"tags"}), ("arn", "uri"),
    ),
    Example(
        "to-lustre", "aws:datasync/locationFsxLustre:LocationFsxLustre",
        {"fsxFilesystemArn": "{lustre.arn}", "subdirectory": "/crawl", "securityGroupArns": ["{group.arn}"]},
        {"tags": {"x": "y"}}, frozenset({"tags"}), ("arn", "uri"),
    ),
    Example(
        "transfer", "aws:datasync/task:Task",
        {
            "name": "crawl", "sourceLocationArn": "{from-nfs.arn}", "destinationLocationArn": "{to-s3.arn}",
            "taskMode": "BASIC", "cloudwatchLogGroupArn": "{logs.arn}",
            "options": {"verifyMode": "POINT_IN_TIME_CONSISTENT", "bytesPerSecond": 1048576, "logLevel": "BASIC"},
            "includes": {"filterType": "SIMPLE_PATTERN", "value": "/a|/b*"},
            "taskReportConfig": {
                "s3Destination": {"s3BucketArn": "{bucket.arn}", "bucketAccessRoleArn": "{role.arn}"},
                "outputType": "STANDARD", "reportLevel": "ERRORS_ONLY", "s3ObjectVersioning": "NONE",
            },
        },
        {"schedule": {"scheduleExpression": "rate(12 hours)"}}, frozenset({"schedule"}), ("arn",),
    ),
    Example(
        "catalogue", "aws:glue/catalogDatabase:CatalogDatabase", {"name": "dc", "description": "tokens"},
        {"description": "training data"}, frozenset({"description"}), ("arn", "catalogId"),
    ),
    Example(
        "runs", "aws:glue/catalogTable:CatalogTable",
        {
            "name": "runs", "databaseName": "{catalogue.name}", "tableType": "EXTERNAL_TABLE",
            "parameters": {"classification": "json"},
            "storageDescriptor": {
                "location": "s3://dc/catalogue/", "inputFormat": "org.apache.hadoop.mapred.TextInputFormat",
                "serDeInfo": {"serializationLibrary": "org.openx.data.jsonserde.JsonSerDe"},
                "columns": [{"name": "output", "type": "string", "comment": "where"}],
            },
        },
        {"description": "runs of etl"}, frozenset({"description"}), ("arn", "catalogId"),
    ),
)  # fmt: skip
