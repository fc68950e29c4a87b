from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard
from etl.config import EtlConfig, Failure
from etl.manifest import plan_of, to_json
from etl.pieces import lines, unpacked, whole
from etl.source import Reader, take_inventory
from hypothesis import given
from hypothesis import strategies as st

from .conftest import peak_of


def config(*sources: Path, **more: Any) -> EtlConfig:
    return EtlConfig(sources=tuple(map(str, sources)), output="out", **more)


def read(*sources: Path, **more: Any) -> list[bytes | None]:
    settings = config(*sources, **more)
    return [record.data for record in Reader(take_inventory(settings), settings.max_document_bytes).records()]


@given(st.binary(max_size=200), st.integers(1, 40), st.integers(0, 30))
def test_lines_are_those_of_the_whole_however_it_is_cut(data: bytes, size: int, limit: int) -> None:
    chunks = [data[start : start + size] for start in range(0, len(data), size)]
    expected = data.split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert list(lines(chunks, limit)) == [line if len(line) <= limit else None for line in expected]
    assert whole(chunks, limit) == (data if len(data) <= limit else None)


def test_files_come_in_the_order_of_their_names_and_sources_in_the_order_given(tmp_path: Path) -> None:
    for name in ("b/z.txt", "b/a/c.txt", "a/x.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    assert read(tmp_path / "b", tmp_path / "a/x.txt") == [b"b/a/c.txt", b"b/z.txt", b"a/x.txt"]


def test_packed_files_are_read_as_what_they_hold(tmp_path: Path) -> None:
    text = b"one\n\ntwo\n" * 20_000
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(text[:9000]) + gzip.compress(text[9000:]))
    (tmp_path / "b.txt.zst").write_bytes(zstandard.compress(text[:99]) + zstandard.compress(text[99:]))
    found = read(tmp_path)
    assert found[:3] == [b"one", b"", b"two"]
    assert len(found) == 60_001
    assert found[-1] == text


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_zeros_after_a_packed_stream_are_padding_wherever_they_are_cut(pack: Callable[[bytes], bytes]) -> None:
    uri = "a.gz" if pack is gzip.compress else "a.zst"
    data = pack(b"one") + bytes(100_000) + pack(b"two") + bytes(9)
    for size in (1, 7, 65536):
        chunks = (data[start : start + size] for start in range(0, len(data), size))
        assert b"".join(unpacked(chunks, uri)) == b"onetwo"
    with pytest.raises(Failure, match=f"source {uri} is damaged"):
        list(unpacked(iter([bytes(100)]), uri))  # as a crash can leave a file


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_what_is_packed_ten_thousandfold_is_unpacked_a_bit_at_a_time(pack: Callable[[bytes], bytes]) -> None:
    data = pack(bytes(100_000_000))
    uri = "a.gz" if pack is gzip.compress else "a.zst"
    sizes: list[int] = []
    chunks = (data[start : start + 65536] for start in range(0, len(data), 65536))
    assert peak_of(lambda: sizes.extend(map(len, unpacked(chunks, uri)))) < 40_000_000
    assert sum(sizes) == 100_000_000


@pytest.mark.parametrize("name", ["a.txt.gz", "a.txt.zst"])
def test_a_packed_file_that_is_cut_or_changed_is_damage_and_not_an_end(tmp_path: Path, name: str) -> None:
    text = os.urandom(300_000)
    data = gzip.compress(text) if name.endswith("gz") else zstandard.ZstdCompressor(write_checksum=True).compress(text)
    (tmp_path / name).write_bytes(data[:200_000])
    with pytest.raises(Failure, match=f"source {tmp_path}/{name} ends too early: bring a whole one"):
        read(tmp_path)
    (tmp_path / name).write_bytes(data[:9] + b"garbage" + data[16:])
    with pytest.raises(Failure, match=f"source {tmp_path}/{name} is damaged .*: bring a whole one"):
        read(tmp_path)


def test_a_line_of_any_length_takes_no_more_memory_than_a_document_may() -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(500):
            yield b"x" * 65536
        yield b"\nshort"

    assert peak_of(lambda: [len(line or b"") for line in lines(endless(), 100_000)]) < 1_000_000
    assert peak_of(lambda: whole(endless(), 100_000)) < 1_000_000


def test_a_reader_that_starts_later_gives_what_is_left_and_the_same_digests(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.jsonl").write_text("".join(f"{name}{n}\n" for n in range(5)))
    inventory = take_inventory(config(tmp_path))
    first, later = Reader(inventory, 99), Reader(inventory, 99)
    everything = list(first.records())
    assert list(later.records(1, 3)) == everything[8:]
    assert {**later.digests, 0: first.digests[0]} == first.digests


def test_a_link_that_leads_nowhere_is_named_and_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    os.mkfifo(tmp_path / "b.txt")
    assert read(tmp_path) == [b"x"]
    (tmp_path / "c.txt").symlink_to(tmp_path / "gone")
    with pytest.raises(Failure, match=f"cannot read source {tmp_path}/c.txt: No such file or directory"):
        read(tmp_path)


def test_a_link_to_a_folder_is_named_and_can_be_a_source_of_its_own(tmp_path: Path) -> None:
    for name in ("a/x.txt", "elsewhere/y.txt"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(name)
    link = tmp_path / "a" / "link"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Failure, match=f"source {tmp_path}/a holds the link {link} to a folder, .*: take it out, or"):
        read(tmp_path / "a")
    assert read(tmp_path / "a/x.txt", link) == [b"a/x.txt", b"elsewhere/y.txt"]


def test_a_name_that_is_no_utf8_can_be_written_down(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")).write_text("x")
    settings = config(tmp_path)
    plan = plan_of(settings, take_inventory(settings))
    assert json.loads(to_json(plan))["sources"] == plan["sources"]
    assert b"caf\\udce9.txt" in to_json(plan)


def test_of_a_bucket_no_more_is_kept_than_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Pages:
        def get_paginator(self, _: str) -> Pages:
            return self

        def paginate(self, **_: str) -> Iterator[dict[str, Any]]:
            for page in range(10):
                keys = [f"raw/{page}/document-{number:06}.txt" for number in range(1000)]
                yield {"Contents": [{"Key": key, "Size": 1, "ETag": f'"{key}"', "Rest": "." * 1000} for key in keys]}

    monkeypatch.setattr("etl.source.s3_client", Pages)
    settings = EtlConfig(sources=("s3://bucket/raw",), output="out")
    assert peak_of(lambda: take_inventory(settings)) < 10_000 * 600


def test_what_is_left_out_is_counted_by_its_ending(tmp_path: Path) -> None:
    for name in ("a.txt", "b.bin", "c.bin", "LICENSE", ".hidden.txt"):
        (tmp_path / name).write_text("x")
    assert take_inventory(config(tmp_path)).ignored == {".bin": 2, "no ending": 1, ".txt": 1}


def test_a_source_that_is_not_there_or_holds_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=f"cannot read source {tmp_path}/none: No such file or directory: correct"):
        read(tmp_path / "none")
    (tmp_path / "a.md").write_text("x")
    with pytest.raises(
        Failure, match=r"no file ends in .txt, .jsonl, .ndjson .*, of 1 that are there: name their ending"
    ):
        read(tmp_path)
    with pytest.raises(Failure, match="neither s3://bucket/prefix nor a file or folder"):
        take_inventory(EtlConfig(sources=("gs://x",), output="out"))


def test_a_source_that_changes_or_goes_while_it_is_read_is_a_failure_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("x")
    settings = config(tmp_path)
    inventory = take_inventory(settings)
    path.write_text("xy")
    with pytest.raises(Failure, match=f"source {path} changed while the run was going: run it again with --anew"):
        list(Reader(inventory, 9).records())
    path.unlink()
    with pytest.raises(Failure, match=f"cannot read source {path}: No such file or directory: bring it back, then run"):
        list(Reader(inventory, 9).records())


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("x")
    inventory = take_inventory(config(tmp_path))
    path.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # the superuser may read everything
    try:
        with pytest.raises(Failure, match=f"cannot read source {path}: Permission denied"):
            list(Reader(inventory, 9).records())
    finally:
        if user == 0:
            os.seteuid(user)


def test_a_packed_stream_of_nothing_is_nothing() -> None:
    assert list(unpacked(iter([b""]), "a.gz")) == []
