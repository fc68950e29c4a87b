"""The local AWS provider keeps its promises to the engine: adoption, drift, accounts, regions, secrets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from pulumi.runtime.proto import provider_pb2, status_pb2

from local import moto
from local.aws.provider import AwsProvider, account_of
from local.paths import DataRoot
from local.provider import UNKNOWN, Secret, to_struct
from tests.local.aws.driver import Context, Driver, Refused, changed

pytestmark = pytest.mark.real

VPC = "aws:ec2/vpc:Vpc"
SUBNET = "aws:ec2/subnet:Subnet"
BUCKET = "aws:s3/bucket:Bucket"
ROLE = "aws:iam/role:Role"
KEY = "aws:kms/key:Key"
TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "eks.amazonaws.com"}, '
    '"Action": "sts:AssumeRole"}]}'
)
DEFAULTS = '{"tags": {"stack": "test"}}'


def another(root: DataRoot, **config: object) -> Driver:
    """The provider of the next run: a new instance, which has not seen any state."""
    return Driver(AwsProvider(root)).configure(**{"region": "us-east-1", **config})


@pytest.mark.parametrize(
    ("token", "inputs"),
    [
        (VPC, {"cidrBlock": "10.1.0.0/16"}),
        (BUCKET, {}),
        (BUCKET, {"bucket": "named-by-the-program"}),
        (ROLE, {"assumeRolePolicy": TRUST}),
        (KEY, {"description": "k"}),
        ("aws:cloudwatch/logGroup:LogGroup", {}),
        ("aws:ec2/placementGroup:PlacementGroup", {"strategy": "cluster"}),
        ("aws:ecr/repository:Repository", {"name": "adopted"}),
        ("aws:efs/fileSystem:FileSystem", {"encrypted": True}),
        (
            "aws:fsx/lustreFileSystem:LustreFileSystem",
            {"subnetIds": "subnet-0123456789abcdef0", "storageCapacity": 1200},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value) or "autonamed",
)
def test_a_create_that_was_killed_before_the_state_was_written_leaves_no_duplicate(
    root: DataRoot, driver: Driver, token: str, inputs: dict[str, str]
) -> None:
    name = f"adopt-{len(inputs)}{token.rsplit(':', 1)[1].lower()}"
    lost = driver.create(token, name, inputs)
    again = another(root, defaultTags=DEFAULTS).create(token, name, inputs)
    assert again.id == lost.id
    assert another(root).read(again) is not None
    driver.delete(again)


def test_a_half_made_vpc_is_completed_when_it_is_adopted(root: DataRoot, driver: Driver) -> None:
    lost = driver.create(VPC, "half", {"cidrBlock": "10.2.0.0/16"})
    wanted = {"cidrBlock": "10.2.0.0/16", "enableDnsHostnames": True, "tags": {"Name": "whole"}}
    again = another(root).create(VPC, "half", wanted)
    assert again.id == lost.id
    assert again.outputs["enableDnsHostnames"] is True
    assert again.outputs["tags"] == {"Name": "whole"}


def test_what_a_killed_run_made_and_nobody_wants_any_more_is_removed(root: DataRoot, driver: Driver) -> None:
    lost = driver.create(VPC, "moved", {"cidrBlock": "10.3.0.0/16"})
    again = another(root).create(VPC, "moved", {"cidrBlock": "10.4.0.0/16"})
    assert again.id != lost.id
    assert another(root).read(lost) is None


def test_a_replacement_does_not_adopt_what_it_replaces(root: DataRoot, driver: Driver) -> None:
    old = driver.create(VPC, "replaced", {"cidrBlock": "10.5.0.0/16"})
    run = another(root, defaultTags=DEFAULTS)
    diff = run.diff(old, {"cidrBlock": "10.6.0.0/16"})
    assert changed(diff) == {"cidrBlock": "update_replace"}
    assert list(diff.replaces) == ["cidrBlock"]
    new = run.create(VPC, "replaced", {"cidrBlock": "10.6.0.0/16"})
    assert new.id != old.id
    assert run.read(old) is not None


def test_a_bucket_deleted_behind_the_state_is_reported_gone(root: DataRoot, driver: Driver) -> None:
    bucket = driver.create(BUCKET, "lost", {})
    account_of(root).at("us-east-1").call("s3", "delete_bucket", Bucket=bucket.id)
    assert driver.read(bucket) is None
    with pytest.raises(Refused, match=r"is gone.*aidc refresh"):
        driver.update(bucket, {"tags": {"a": "b"}})


def test_changes_behind_the_state_are_drift_and_the_next_update_undoes_them(root: DataRoot, driver: Driver) -> None:
    wanted = {"cidrBlock": "10.7.0.0/16", "enableDnsHostnames": True, "tags": {"owner": "us"}}
    vpc = driver.create(VPC, "drifted", wanted)
    cloud = account_of(root).at("us-east-1")
    cloud.call("ec2", "create_tags", Resources=[vpc.id], Tags=[{"Key": "owner", "Value": "them"}])
    cloud.call("ec2", "modify_vpc_attribute", VpcId=vpc.id, EnableDnsHostnames={"Value": False})
    drifted = driver.read(vpc)
    assert drifted is not None
    assert changed(driver.diff(drifted, wanted)) == {"enableDnsHostnames": "update", "tags.owner": "update"}
    mended = driver.read(driver.update(drifted, wanted))
    assert mended is not None
    assert mended.inputs == vpc.inputs


def test_one_changed_tag_is_one_change_and_other_tags_stay(driver: Driver) -> None:
    vpc = driver.create(VPC, "tagged", {"cidrBlock": "10.8.0.0/16", "tags": {"a": "1", "b": "2"}})
    wanted = {"cidrBlock": "10.8.0.0/16", "tags": {"a": "1", "b": "3"}}
    assert changed(driver.diff(vpc, wanted)) == {"tags.b": "update"}
    assert driver.update(vpc, wanted).outputs["tagsAll"] == {"a": "1", "b": "3", "stack": "test"}


def test_new_default_tags_of_the_provider_are_an_update_of_every_resource(root: DataRoot, driver: Driver) -> None:
    inputs = {"cidrBlock": "10.9.0.0/16"}
    vpc = driver.create(VPC, "defaults", inputs)
    run = another(root, defaultTags='{"tags": {"stack": "test", "cost": "42"}}')
    assert changed(run.diff(vpc, inputs)) == {"tagsAll.cost": "add"}
    assert run.update(vpc, inputs).outputs["tagsAll"] == {"stack": "test", "cost": "42"}


def test_another_account_is_refused_before_anything_is_made(root: DataRoot) -> None:
    config = to_struct({"region": "us-east-1", "allowedAccountIds": '["999999999999"]'})
    response = AwsProvider(root).CheckConfig(provider_pb2.CheckRequest(news=config), Context())
    assert [failure.property for failure in response.failures] == ["allowedAccountIds"]
    assert moto.ACCOUNT in response.failures[0].reason
    with pytest.raises(Refused, match="999999999999"):
        another(root, allowedAccountIds='["999999999999"]')


def test_the_local_account_is_accepted(root: DataRoot) -> None:
    driver = another(root, allowedAccountIds=f'["{moto.ACCOUNT}"]')
    assert driver.invoke("aws:index/getCallerIdentity:getCallerIdentity")["accountId"] == moto.ACCOUNT


def test_a_cluster_that_is_looked_up_and_is_not_there_is_told_with_its_region(driver: Driver) -> None:
    with pytest.raises(Refused, match="there is no EKS cluster nobody in us-east-1"):
        driver.invoke("aws:eks/getCluster:getCluster", name="nobody")


def test_two_regions_do_not_see_each_other(root: DataRoot, driver: Driver) -> None:
    west = another(root, region="us-west-2")
    here = driver.create(VPC, "here", {"cidrBlock": "10.10.0.0/16"})
    there = west.create(VPC, "there", {"cidrBlock": "10.10.0.0/16"})
    assert there.outputs["arn"].startswith("arn:aws:ec2:us-west-2:")
    subnets = {"vpcId": here.id, "cidrBlock": "10.10.0.0/24", "availabilityZone": "us-west-2a"}
    with pytest.raises(Refused, match=r"InvalidVpcID\.NotFound"):
        west.create(SUBNET, "across", subnets)
    assert west.invoke("aws:index/getAvailabilityZones:getAvailabilityZones")["names"][0] == "us-west-2a"


def test_secret_inputs_are_secret_in_every_output_that_carries_them(driver: Driver) -> None:
    vpc = driver.create(VPC, "secret", {"cidrBlock": "10.11.0.0/16", "tags": Secret({"token": "canary-77"})})
    assert "canary-77" not in repr(vpc.outputs)
    assert isinstance(vpc.outputs["tagsAll"]["token"], Secret)


def test_a_preview_makes_nothing_and_leaves_what_is_unknown_unknown(root: DataRoot, driver: Driver) -> None:
    planned = driver.create(SUBNET, "planned", {"vpcId": UNKNOWN, "cidrBlock": "10.0.0.0/24"}, preview=True)
    assert planned.id == ""
    assert planned.outputs["vpcId"] is UNKNOWN
    assert "arn" not in planned.outputs
    assert "subnetId" not in planned.outputs


def test_an_unknown_type_names_itself(driver: Driver) -> None:
    with pytest.raises(Refused, match="aws:rds/cluster:Cluster is not among"):
        driver.create("aws:rds/cluster:Cluster", "db", {})


def test_what_the_service_refuses_is_one_sentence(driver: Driver) -> None:
    with pytest.raises(Refused) as refused:
        driver.create(SUBNET, "nowhere", {"vpcId": "vpc-0123456789abcdef0", "cidrBlock": "10.0.0.0/24"})
    assert "InvalidVpcID.NotFound" in refused.value.details
    assert "Traceback" not in refused.value.details


def test_a_resource_that_did_not_come_up_is_kept_with_its_reason(driver: Driver) -> None:
    with pytest.raises(Refused) as refused:
        driver.create("aws:ec2/internetGateway:InternetGateway", "loose", {"vpcId": "vpc-0123456789abcdef0"})
    status = status_pb2.Status.FromString(refused.value.trailing)
    detail = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(detail)
    assert detail.id.startswith("igw-")
    assert "vpc-0123456789abcdef0" in detail.reasons[0]


def test_sixteen_threads_make_forty_subnets_and_each_is_there_once(root: DataRoot, driver: Driver) -> None:
    vpc = driver.create(VPC, "busy", {"cidrBlock": "10.12.0.0/16"})

    def make(number: int) -> str:
        inputs = {"vpcId": vpc.id, "cidrBlock": f"10.12.{number}.0/24", "availabilityZone": "us-east-1a"}
        return driver.create(SUBNET, f"busy-{number}", inputs).id

    with ThreadPoolExecutor(16) as pool:
        made = list(pool.map(make, range(40)))
    subnets = (
        account_of(root)
        .at("us-east-1")
        .call("ec2", "describe_subnets", Filters=[{"Name": "vpc-id", "Values": [vpc.id]}])["Subnets"]
    )
    assert sorted(made) == sorted(subnet["SubnetId"] for subnet in subnets)


@pytest.mark.parametrize(
    "content", [{"content": "{}"}, {"contentBase64": "e30="}], ids=lambda content: next(iter(content))
)
def test_an_object_of_a_component_is_put_and_what_changes_behind_the_state_s_back_is_put_again(
    root: DataRoot, driver: Driver, content: dict[str, str]
) -> None:
    bucket = driver.create(BUCKET, f"objects-{next(iter(content)).lower()}", {"forceDestroy": True})
    token = "ai-datacenter:index:Component$aws:s3/bucketObjectv2:BucketObjectv2"
    inputs = {"bucket": bucket.id, "key": "a/b.json", **content}
    made = driver.create(token, "object", inputs)
    client = account_of(root).client("s3", "us-east-1")
    client.put_object(Bucket=bucket.id, Key="a/b.json", Body=b"[]", Tagging="stack=test")
    read = driver.read(made)
    assert read is not None
    assert set(changed(driver.diff(read, inputs))) == set(content)
    driver.update(read, inputs)
    assert client.get_object(Bucket=bucket.id, Key="a/b.json")["Body"].read() == b"{}"
    for prefix, keys in (("a/b.json", ["a/b.json"]), ("b", [])):
        assert driver.invoke("aws:s3/getObjects:getObjects", bucket=bucket.id, prefix=prefix)["keys"] == keys
    driver.delete(bucket)
    assert driver.invoke("aws:s3/getObjects:getObjects", bucket=bucket.id, prefix="a")["keys"] == []


def test_a_locked_bucket_goes_with_what_governance_lets_go_and_stays_with_what_compliance_holds(driver: Driver) -> None:
    for mode in ("GOVERNANCE", "COMPLIANCE"):
        bucket = driver.create(BUCKET, f"locked-{mode.lower()}", {"objectLockEnabled": True, "forceDestroy": True})
        rule = {"defaultRetention": {"mode": mode, "days": 1}}
        kind = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
        lock = driver.create(kind, f"lock-{mode.lower()}", {"bucket": bucket.id, "rule": rule})
        content = {"bucket": bucket.id, "key": "a", "content": "x"}
        driver.create("aws:s3/bucketObjectv2:BucketObjectv2", f"a-{mode.lower()}", content)
        driver.delete(lock)
        if mode == "GOVERNANCE":
            driver.delete(bucket)
            assert driver.read(bucket) is None
        else:
            with pytest.raises(Refused, match="keeps 1 of its objects, the first of them a: "):
                driver.delete(bucket)


def test_a_bucket_that_is_no_longer_versioned_goes_with_what_was_deleted_in_it(root: DataRoot, driver: Driver) -> None:
    bucket, s3 = driver.create(BUCKET, "marked", {"forceDestroy": True}), account_of(root).at("us-east-1")
    for status in ("Enabled", "Suspended"):
        s3.call("s3", "put_bucket_versioning", Bucket=bucket.id, VersioningConfiguration={"Status": status})
        s3.call("s3", "put_object", Bucket=bucket.id, Key="check.bin", Body=b"x")
        s3.call("s3", "delete_object", Bucket=bucket.id, Key="check.bin")
    driver.delete(bucket)
    assert driver.read(bucket) is None


def test_a_file_system_that_was_deleted_behind_its_back_is_told_when_it_is_changed(
    root: DataRoot, driver: Driver
) -> None:
    made = driver.create("aws:efs/fileSystem:FileSystem", "lost", {"encrypted": True})
    account_of(root).at("us-east-1").call("efs", "delete_file_system", FileSystemId=made.id)
    with pytest.raises(Refused, match=r"is gone.*aidc refresh"):
        driver.update(made, {"encrypted": True, "throughputMode": "elastic", "tags": {"a": "b"}})
