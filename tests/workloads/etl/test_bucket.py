"""Sources and shards in a bucket of moto."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from etl.config import EtlConfig, Failure
from etl.source import Reader, take_inventory
from etl.store import BucketStore, open_store
from etl.verify import damages

from .conftest import Run, files_of

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("bucket")]


@pytest.fixture
def uploaded(sources: Path, bucket: Callable[[str], Any]) -> str:
    s3 = boto3.client("s3")
    for path in sources.iterdir():
        s3.upload_file(str(path), "checkpoints", f"raw/{path.name}")
    s3.put_object(Bucket="checkpoints", Key="raw-other/x.txt", Body=b"of somebody else")
    return "s3://checkpoints/raw"


def objects() -> dict[str, bytes]:
    store = open_store("s3://checkpoints/made")
    return {name: store.get(name) or b"" for name in store.names()}


def test_a_bucket_gives_and_takes_what_a_folder_does(etl: Run, uploaded: str, tmp_path: Path) -> None:
    folder = etl()
    manifest = etl(sources=[uploaded], output="s3://checkpoints/made")
    assert manifest["shards"] == folder["shards"]
    places = [one["statistics"].pop("first_dropped") for one in (manifest, folder)]
    assert [name.rpartition("/")[2] for name in places[0].values()] == [
        "a.jsonl:11",
        "a.jsonl:12",
        "a.jsonl:13",
        "a.jsonl:14",
    ]
    assert places[0].keys() == places[1].keys()
    assert manifest["statistics"] == folder["statistics"]
    assert [s["sha256"] for s in manifest["sources"]] == [s["sha256"] for s in folder["sources"]]
    shards = {name: data for name, data in files_of(tmp_path / "out").items() if name.endswith(".bin")}
    assert shards.items() <= objects().items()
    assert damages(open_store("s3://checkpoints/made")) == []


def test_an_object_is_read_by_the_key_that_was_listed(bucket: Callable[[str], Any]) -> None:
    s3 = boto3.client("s3")
    for key in ("x.txt", "/x.txt", "a//x.txt"):
        s3.put_object(Bucket="checkpoints", Key=key, Body=key.encode())
    inventory = take_inventory(EtlConfig(sources=("s3://checkpoints",), output="out"))
    assert [record.data for record in Reader(inventory, 99).records()] == [b"/x.txt", b"a//x.txt", b"x.txt"]


def test_a_run_into_a_bucket_that_was_killed_goes_on_to_the_same_bytes(
    etl: Run, uploaded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    etl(sources=[uploaded], output="s3://checkpoints/made")
    expected = objects()
    etl(sources=[uploaded], output="s3://checkpoints/made", anew=True)
    put, left = BucketStore.put, [5]

    def dying(self: BucketStore, name: str, data: bytes) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        put(self, name, data)

    monkeypatch.setattr(BucketStore, "put", dying)
    with pytest.raises(KeyboardInterrupt):
        etl(sources=[uploaded], output="s3://checkpoints/made", anew=True)
    monkeypatch.setattr(BucketStore, "put", put)
    etl(sources=[uploaded], output="s3://checkpoints/made")
    assert objects() == expected


def test_an_object_that_changed_is_refused(etl: Run, uploaded: str) -> None:
    etl(sources=[uploaded], output="s3://checkpoints/made")
    boto3.client("s3").put_object(Bucket="checkpoints", Key="raw/b0.txt", Body=b"another")
    with pytest.raises(Failure, match="s3://checkpoints/made holds another run: sources"):
        etl(sources=[uploaded], output="s3://checkpoints/made")


def test_what_s3_refuses_is_told_with_its_code(etl: Run, uploaded: str) -> None:
    with pytest.raises(Failure, match=r"cannot list source s3://nobody/x: S3 answered NoSuchBucket: check its name"):
        etl(sources=["s3://nobody/x"])
    with pytest.raises(Failure, match=r"source s3://checkpoints/none holds no object: correct sources"):
        etl(sources=["s3://checkpoints/none"])
    with pytest.raises(Failure, match=r"cannot list s3://nobody/made: S3 answered NoSuchBucket"):
        etl(output="s3://nobody/made")


def test_an_s3_that_does_not_answer_is_named_with_its_address(
    etl: Run, uploaded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from local.processes import free_port

    nobody = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", nobody)
    with pytest.raises(
        Failure, match=f"s3://checkpoints/raw at {nobody}: EndpointConnectionError: see that it answers"
    ):
        etl(sources=[uploaded])
    with pytest.raises(Failure, match=f"s3://checkpoints/made at {nobody}: EndpointConnectionError"):
        etl(output="s3://checkpoints/made")


def test_an_s3_that_goes_away_on_the_way_fails_the_run_which_goes_on_when_it_is_back(
    etl: Run, uploaded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, left = BucketStore.put, [4]

    def gone(self: BucketStore, name: str, data: bytes) -> None:
        left[0] -= 1
        if left[0] < 0:
            self._client.meta.events.register("before-send.s3", _no_connection)
        put(self, name, data)

    monkeypatch.setattr(BucketStore, "put", gone)
    with pytest.raises(Failure, match=r"cannot write s3://checkpoints/made/tokens-00001.bin at .*: EndpointConnection"):
        etl(sources=[uploaded], output="s3://checkpoints/made")
    monkeypatch.setattr(BucketStore, "put", put)
    said: list[str] = []
    etl(said, sources=[uploaded], output="s3://checkpoints/made")
    assert "going on after 1 good shard(s)" in said


def _no_connection(request: Any, **_: Any) -> None:
    from botocore.exceptions import EndpointConnectionError

    raise EndpointConnectionError(endpoint_url=request.url)
