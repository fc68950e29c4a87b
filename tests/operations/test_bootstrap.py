"""The state's bucket and key: made once however often a run is killed, and never somebody else's."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest

from local import moto
from local.paths import DataRoot
from operations import state_bucket
from operations.bootstrap import bootstrap, init_command, login_command
from operations.cli import main
from operations.exits import Exit, OperationFailed
from operations.workplace import Output, Workplace

pytestmark = pytest.mark.real

STACK = """config:
  aws:region: us-east-2
  aws:allowedAccountIds: ["{account}"]
  ai-datacenter:name: aidc-test
  ai-datacenter:network: {{cidr: 10.0.0.0/16}}
  ai-datacenter:pools:
    cpu: {{instance_type: m7i.large, desired_size: 2}}
  ai-datacenter:smoke_test: {{pool: cpu}}
"""


class Killed(BaseException):
    """What a signal does to a run: nothing that it would still do is done."""


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of these tests' own."""
    root = DataRoot(tmp_path_factory.mktemp("aws"))
    yield moto.ensure(root).endpoint_url
    moto.stop(root)


@pytest.fixture(autouse=True)
def credentials(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    (tmp_path / "Pulumi.prod.yaml").write_text(STACK.format(account="123456789012"))
    return Workplace("prod", Output.JSON, DataRoot(tmp_path), tmp_path)


@cache
def client(service: str) -> Any:
    return boto3.client(service, region_name="us-east-2")


def keys_of(bucket: str) -> list[str]:
    """The keys that were made for a bucket, aliased or not."""
    filters = [{"Key": state_bucket.OWN_TAG, "Values": [bucket]}]
    found = client("resourcegroupstaggingapi").get_resources(TagFilters=filters, ResourceTypeFilters=["kms:key"])
    return [one["ResourceARN"] for one in found["ResourceTagMappingList"]]


def check_complete(bucket: str) -> None:
    s3 = client("s3")
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    (key,) = keys_of(bucket)
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    (owned,) = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert owned["ObjectOwnership"] == "BucketOwnerEnforced"
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert (statement["Effect"], statement["Sid"]) == ("Deny", "TlsOnly")
    (lifecycle,) = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert lifecycle["NoncurrentVersionExpiration"]["NoncurrentDays"] == state_bucket.KEPT_DAYS
    kms = client("kms")
    assert kms.describe_key(KeyId=state_bucket.alias_of(bucket))["KeyMetadata"]["Arn"] == key
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]


def test_it_makes_everything_and_says_what_pulumi_is_to_be_told(
    place: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    bootstrap(place)
    made = json.loads(capsys.readouterr().out)
    assert made["bucket"] == "aidc-test-state-123456789012-us-east-2"
    check_complete(made["bucket"])
    assert made["login"] == f"pulumi login 's3://{made['bucket']}?region=us-east-2&awssdk=v2'"
    assert made["init"].startswith("pulumi stack init prod --secrets-provider='awskms://alias/aidc-test-state-")
    bootstrap(place)
    assert json.loads(capsys.readouterr().out) == made
    check_complete(made["bucket"])


def test_a_profile_of_the_stack_file_goes_with_the_commands() -> None:
    assert "&profile=team'" in login_command("b", "us-east-2", "team")
    assert "&profile=team'" in init_command("prod", "b", "us-east-2", "team")


def test_a_run_that_is_killed_after_any_request_is_made_good_by_the_next() -> None:
    account = state_bucket.open_account("us-east-2", None)
    kill = Kill(account)
    state_bucket.ensure(account, "killed-never", lambda _: None)
    total = kill.seen
    assert total > 12
    for number in range(1, total):
        bucket = f"killed-after-{number}"
        kill.after(number)
        with pytest.raises(Killed):
            state_bucket.ensure(account, bucket, lambda _: None)
        kill.after(0)
        state_bucket.ensure(account, bucket, lambda _: None)
        check_complete(bucket)


class Kill:
    """Counts an account's requests, and ends the run after one of them, when AWS has done what was asked."""

    def __init__(self, account: state_bucket.Account) -> None:
        self.seen = self._number = 0
        for service in ("s3", "kms", "resourcegroupstaggingapi"):
            account.client(service).meta.events.register("after-call", self._called)

    def after(self, number: int) -> None:
        self.seen, self._number = 0, number

    def _called(self, **_: Any) -> None:
        self.seen += 1
        if self.seen == self._number:
            raise Killed


def test_a_bucket_of_somebody_else_is_refused_and_nothing_is_made(place: Workplace, endpoint: str) -> None:
    taken = client("sts").assume_role(RoleArn="arn:aws:iam::999999999999:role/other", RoleSessionName="other")
    keys = taken["Credentials"]
    other = boto3.client(
        "s3", region_name="us-east-2", aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys["SessionToken"],
    )  # fmt: skip
    other.create_bucket(Bucket="somebody-elses", CreateBucketConfiguration={"LocationConstraint": "us-east-2"})
    with pytest.raises(OperationFailed, match=r"Somebody else has a bucket somebody-elses.*--bucket"):
        bootstrap(place, bucket="somebody-elses")
    assert keys_of("somebody-elses") == []


def test_a_bucket_with_something_else_in_it_is_left_as_it_is(place: Workplace) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="our-web-site", CreateBucketConfiguration={"LocationConstraint": "us-east-2"})
    s3.put_object(Bucket="our-web-site", Key="index.html", Body=b"x")
    with pytest.raises(OperationFailed, match="holds something else than the state"):
        bootstrap(place, bucket="our-web-site")
    assert s3.get_bucket_versioning(Bucket="our-web-site").get("Status") is None
    assert keys_of("our-web-site") == []


def test_a_bucket_of_another_region_is_told_with_it(place: Workplace) -> None:
    boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="in-the-east")
    with pytest.raises(OperationFailed, match=r"is in us-east-1, and not in us-east-2: say --region us-east-1"):
        bootstrap(place, bucket="in-the-east")
    bootstrap(place, bucket="in-the-east", region="us-east-1")


def test_a_key_that_is_to_be_deleted_is_told_and_not_replaced(place: Workplace) -> None:
    bootstrap(place, bucket="key-goes")
    client("kms").schedule_key_deletion(KeyId=keys_of("key-goes")[0].rpartition("/")[2], PendingWindowInDays=7)
    with pytest.raises(OperationFailed, match=r"PendingDeletion.*cancel its deletion"):
        bootstrap(place, bucket="key-goes")


@pytest.mark.parametrize("name", ["A", "with.dots", "-x-", "x" * 64])
def test_a_name_that_no_bucket_can_have_is_refused(place: Workplace, name: str) -> None:
    with pytest.raises(OperationFailed, match="can be no bucket of the state"):
        bootstrap(place, bucket=name)


def test_credentials_of_another_account_make_nothing(place: Workplace) -> None:
    place.stack_file.write_text(STACK.format(account="999999999999"))
    with pytest.raises(OperationFailed, match=r"credentials of account 123456789012.*999999999999 only"):
        bootstrap(place, bucket="never-made")
    assert "never-made" not in [one["Name"] for one in client("s3").list_buckets()["Buckets"]]


def test_no_credentials_are_told_in_a_sentence(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(OperationFailed, match="It takes credentials of the stack's account"):
        bootstrap(place)


def test_wrong_credentials_are_told_in_a_sentence(place: Workplace, endpoint: str) -> None:
    def require(requests_without: str) -> None:
        request = urllib.request.Request(f"{endpoint}/moto-api/reset-auth", requests_without.encode(), method="POST")
        request.add_header("Content-Type", "text/plain")
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5).close()

    require("0")
    try:
        with pytest.raises(OperationFailed, match=r"InvalidClientTokenId.*sign in again"):
            bootstrap(place)
    finally:
        require("inf")


def test_a_server_that_does_not_answer_is_told_in_a_sentence(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(OperationFailed, match="a way to AWS"):
        bootstrap(place)


def test_the_verb_needs_a_stack_that_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bootstrap", "--stack", "nowhere"]) == Exit.CONFIGURATION
    assert "There is no stack `nowhere`" in capsys.readouterr().err
