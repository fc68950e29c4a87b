from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from train.checkpoint.store import FolderStore, open_store, split_uri
from train.config.failure import Failure

from tests.full_disk import full_after


def test_bytes_come_back_under_their_name(tmp_path: Path) -> None:
    store = open_store(f"file://{tmp_path}/new/folder")
    store.put("b", b"2")
    store.put("a", b"1")
    store.put("a", b"one")
    assert (store.get("a"), store.get("c"), store.names()) == (b"one", None, ["a", "b"])
    store.delete("a")
    store.delete("never there")
    assert store.names() == ["b"]


def test_a_folder_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert open_store(str(tmp_path / "none")).names() == []


def test_a_write_that_fails_leaves_the_old_bytes_and_no_other_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FolderStore(str(tmp_path))
    store.put("a", b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Failure, match=f"cannot write {tmp_path}/a: No space left on device"):
        store.put("a", b"new")
    assert store.get("a") == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_disk_that_takes_a_part_of_it_has_taken_nothing(tmp_path: Path) -> None:
    store = FolderStore(str(tmp_path))
    store.put("a", b"old")
    with full_after(4096), pytest.raises(Failure, match=f"cannot write {tmp_path}/a: File too large"):
        store.put("a", bytes(8192))
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"old")]


def test_the_bytes_are_on_the_disk_before_their_name_and_the_name_before_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, synced = FolderStore(str(tmp_path)), list[tuple[str, list[str]]]()
    flush = os.fsync

    def sync(handle: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
        synced.append(("folder" if is_folder else "file", store.names()))
        flush(handle)

    monkeypatch.setattr(os, "fsync", sync)
    store.put("a", b"1")
    assert synced == [("file", []), ("folder", ["a"])]


def test_a_file_where_the_folder_should_be_is_a_failure_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in ("file", "file/deep"):
        with pytest.raises(Failure, match=f"cannot write {tmp_path}/{folder}/a: Not a directory"):
            open_store(str(tmp_path / folder)).put("a", b"")
    with pytest.raises(Failure, match=f"cannot read {tmp_path}/file/a: Not a directory"):
        open_store(str(tmp_path / "file")).get("a")


def test_what_could_not_be_written_is_known_before_there_is_anything_to_write(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder" / "a").mkdir(parents=True)
    with pytest.raises(Failure, match=f"cannot write {tmp_path}/file/a: Not a directory"):
        open_store(str(tmp_path / "file")).probe("a")
    with pytest.raises(Failure, match=f"cannot write {tmp_path}/folder/a: Is a directory"):
        open_store(str(tmp_path / "folder")).probe("a")
    with full_after(0), pytest.raises(Failure, match=f"cannot write {tmp_path}/a: File too large"):
        open_store(str(tmp_path)).probe("a")


def test_what_is_there_is_as_it_was_after_a_place_was_tried(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "new"))
    store.probe("a")
    assert list((tmp_path / "new").iterdir()) == []
    store.put("a", b"old")
    store.probe("a")
    assert store.get("a") == b"old"


def test_what_cannot_be_deleted_is_a_failure_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(Failure, match=f"cannot delete {tmp_path}/folder: Is a directory"):
        FolderStore(str(tmp_path)).delete("folder")


@pytest.mark.parametrize(
    ("uri", "sentence"),
    [
        ("s3:///prefix", "s3:///prefix names no bucket: give s3://bucket/prefix"),
        ("gs://bucket/prefix", "gs://bucket/prefix is neither s3://bucket/prefix nor a folder"),
    ],
)
def test_an_address_that_cannot_be_used_is_named_with_what_can(uri: str, sentence: str) -> None:
    with pytest.raises(Failure, match=sentence):
        open_store(uri)


@pytest.mark.parametrize("uri", ["s3://bucket", "s3://bucket/", "folder/"])
def test_a_verdict_needs_a_name(uri: str) -> None:
    with pytest.raises(Failure, match=f"{uri} names no file: give s3://bucket/key or a path"):
        split_uri(uri)


def test_an_address_is_split_into_its_store_and_its_name(tmp_path: Path) -> None:
    store, name = split_uri(f"{tmp_path}/deep/verdict.json")
    assert (store.uri, name) == (f"{tmp_path}/deep", "verdict.json")
    assert split_uri("verdict.json")[0].uri == "."
    assert split_uri("/verdict.json")[0].uri == "/"


@pytest.mark.real
@pytest.mark.usefixtures("bucket")
def test_a_bucket_keeps_bytes_as_a_folder_does() -> None:
    store = open_store("s3://checkpoints/a/b/")
    open_store("s3://checkpoints/other").put("c", b"3")
    store.put("b", b"2")
    store.put("a", b"1")
    assert (store.get("a"), store.get("c"), store.names()) == (b"1", None, ["a", "b"])
    store.delete("a")
    assert store.names() == ["b"]
    store.put("large", [b"12", bytes(33 << 20), b"34"])  # more than one request takes
    large = store.get("large")
    assert large is not None
    assert (len(large), large[:2], large[-2:]) == ((33 << 20) + 4, b"12", b"34")
    with pytest.raises(Failure, match="cannot write s3://nobody/x: "):
        open_store("s3://nobody/x").put("large", bytes(33 << 20))


@pytest.mark.real
@pytest.mark.usefixtures("bucket")
def test_an_object_is_not_put_to_see_whether_it_could_be() -> None:
    store = open_store("s3://checkpoints/probed")
    store.probe("a")
    assert store.names() == []


@pytest.mark.real
@pytest.mark.usefixtures("bucket")
def test_a_bucket_that_is_not_there_is_a_failure_with_what_s3_said() -> None:
    with pytest.raises(Failure, match="cannot write s3://nobody/x: S3 answered NoSuchBucket"):
        open_store("s3://nobody/x").put("a", b"")
