from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from etl.config import Failure
from etl.manifest import MANIFEST, State
from etl.report import summary
from etl.shards import unpack
from etl.store import FolderStore
from etl.tokenizer import Encoder
from etl.verify import damages

from .conftest import Run, files_of, text_of


def texts_in(folder: Path) -> list[str]:
    """The documents that the shards hold, from the end of one to the end of the next."""
    shards = [unpack(path.read_bytes()) for path in sorted(folder.glob("*.bin"))]
    encoder = Encoder((folder / "tokenizer.json").read_text())
    tokens = np.concatenate([shard.tokens for shard in shards])
    ends = np.flatnonzero(tokens == encoder.end_of_text)
    assert ends[-1] == len(tokens) - 1
    offsets = np.cumsum([0] + [len(shard.tokens) for shard in shards])
    starts = np.concatenate([shard.beginnings + offset for shard, offset in zip(shards, offsets[:-1], strict=True)])
    assert starts.tolist() == [0, *(ends[:-1] + 1)]
    return [encoder.decode(tokens[start:end]) for start, end in zip(starts.astype(int), ends, strict=True)]


class Killed(BaseException):
    """What no handler of the pipeline catches, as nothing catches SIGKILL."""


def killed_after(etl: Run, monkeypatch: pytest.MonkeyPatch, writes: int, **changes: Any) -> bool:
    """Let a run die before its ``writes``-th file is renamed; False where it ended before that."""
    left, replace = [writes], os.replace

    def counted(*arguments: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        replace(*arguments)

    monkeypatch.setattr(os, "replace", counted)
    try:
        etl(**changes)
    except Killed:
        return True
    finally:
        monkeypatch.setattr(os, "replace", replace)
    return False


def test_the_shards_hold_every_kept_document_once_in_the_order_of_the_sources(
    etl: Run, tmp_path: Path, documents: list[str]
) -> None:
    etl()
    assert texts_in(tmp_path / "out") == documents


def test_the_manifest_counts_everything_that_was_read(etl: Run, sources: Path, documents: list[str]) -> None:
    manifest = etl()
    found = manifest["statistics"]
    assert found["documents_read"] == 65
    assert found["documents_kept"] == 60
    assert found["dropped"] == {"not_json": 1, "empty": 1, "no_text_field": 1, "too_few_words": 1}
    assert found["duplicates"] == {"exact": 1}
    assert found["bytes_kept"] == sum(len(text.encode()) for text in documents)
    assert found["tokens"] == sum(shard["tokens"] for shard in manifest["shards"])
    assert [shard["tokens"] for shard in manifest["shards"][:-1]] == [4000] * (len(manifest["shards"]) - 1)
    assert [source["uri"] for source in manifest["sources"]] == sorted(str(path) for path in sources.iterdir())
    place = found["first_dropped"]["not_json"]
    name, line = place.rpartition(":")[::2]
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(Path(name).read_text().splitlines()[int(line) - 1])
    assert f"dropped   1 not_json, the first at {place}" in summary(manifest)


def test_a_near_duplicate_is_dropped_and_counted(etl: Run, sources: Path) -> None:
    (sources / "c.txt").write_text(text_of(3).replace(" ", ", ", 7))
    assert etl()["statistics"]["duplicates"] == {"exact": 1, "near": 1}


def test_without_near_duplicates_a_run_ends_and_goes_on_where_it_was_killed(
    etl: Run, sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sources / "c.txt").write_text(text_of(3).replace(" ", ", ", 7))
    exact = {"near_duplicates": {"enabled": False}}
    assert etl(output=str(tmp_path / "whole"), **exact)["statistics"]["duplicates"] == {"exact": 1}
    assert killed_after(etl, monkeypatch, 5, **exact)
    etl(**exact)
    assert files_of(tmp_path / "out") == files_of(tmp_path / "whole")


def test_batches_and_their_size_change_no_byte(etl: Run, tmp_path: Path) -> None:
    etl(output=str(tmp_path / "small"), batch_bytes=1)
    etl(output=str(tmp_path / "large"), batch_bytes=1 << 20)
    assert files_of(tmp_path / "small") == files_of(tmp_path / "large")


def test_a_document_longer_than_a_shard_goes_on_in_the_next(etl: Run, tmp_path: Path, documents: list[str]) -> None:
    etl(shard_tokens=400)
    assert texts_in(tmp_path / "out") == documents


def test_a_run_killed_before_any_of_its_writes_ends_in_the_same_bytes(
    etl: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    etl(output=str(tmp_path / "whole"), shard_tokens=12_000)
    expected, writes = files_of(tmp_path / "whole"), 0
    while killed_after(etl, monkeypatch, writes, output=str(tmp_path / f"killed{writes}"), shard_tokens=12_000):
        assert MANIFEST not in files_of(tmp_path / f"killed{writes}")
        etl(output=str(tmp_path / f"killed{writes}"), shard_tokens=12_000)
        assert files_of(tmp_path / f"killed{writes}") == expected
        writes += 1
    assert writes == len(expected)


def long_document(folder: Path) -> dict[str, Any]:
    """Settings of a run over two short documents, and one between them that fills several shards."""
    sources = folder / "long"
    sources.mkdir()
    for number, words in enumerate((60, 700, 60)):
        (sources / f"{number}.txt").write_text(text_of(number, words))
    return {"sources": [str(sources)], "shard_tokens": 400}


def test_a_run_killed_inside_a_document_of_many_shards_ends_in_the_same_bytes(
    etl: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = long_document(tmp_path)
    etl(output=str(tmp_path / "whole"), **long)
    expected, writes = files_of(tmp_path / "whole"), 0
    assert len(expected) > 10
    while killed_after(etl, monkeypatch, writes, output=str(tmp_path / f"killed{writes}"), **long):
        etl(output=str(tmp_path / f"killed{writes}"), **long)
        assert files_of(tmp_path / f"killed{writes}") == expected
        writes += 1
    assert writes == len(expected)


def test_a_shard_inside_a_long_document_is_made_again_alone(etl: Run, tmp_path: Path) -> None:
    long = long_document(tmp_path)
    etl(**long)
    out, expected = tmp_path / "out", files_of(tmp_path / "out")
    for number in (2, 3, 6):
        (out / f"tokens-0000{number}.bin").unlink()
    etl(**long)
    assert files_of(out) == expected


def test_finished_shards_are_not_made_again(etl: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert killed_after(etl, monkeypatch, 7)
    before = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("tokens-*")}
    said: list[str] = []
    etl(said)
    assert "going on after 2 good shard(s)" in said
    after = {name: (tmp_path / "out" / name).stat().st_mtime_ns for name in before if name < "tokens-00002"}
    assert len(after) == 4
    assert after.items() <= before.items()


def test_a_state_holds_no_digest_that_one_before_it_has(etl: Run, tmp_path: Path) -> None:
    manifest = etl(shard_tokens=300)
    states = [State.unpack(path.read_bytes()) for path in sorted((tmp_path / "out").glob("*.state"))]
    held = [(number, digest) for state in states for number, digest in state.source_digests.items()]
    assert held == list(enumerate(source["sha256"] for source in manifest["sources"]))[: len(held)]
    assert len(held) >= 10


def test_a_run_is_told_in_one_line_elsewhere_and_told_again_where_that_was_lost(etl: Run, tmp_path: Path) -> None:
    row = tmp_path / "rows" / "run-1.json"
    manifest = etl(catalogue=str(row))
    first = row.read_text()
    assert first.count("\n") == 1
    assert json.loads(first) == {**manifest, "output": f"{tmp_path}/out"}
    row.unlink()
    etl(catalogue=str(row))
    assert row.read_text() == first


def test_where_a_run_is_told_changes_none_of_its_bytes(etl: Run, tmp_path: Path) -> None:
    etl(catalogue=str(tmp_path / "row.json"))
    etl(output=str(tmp_path / "other"))
    assert files_of(tmp_path / "out") == files_of(tmp_path / "other")


def test_a_finished_run_is_told_so_and_nothing_is_written(etl: Run, tmp_path: Path) -> None:
    manifest = etl()
    said: list[str] = []
    assert etl(said) == manifest
    assert said == [f"{tmp_path}/out is finished, and whole"]


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["tokens-00001.bin"], "tokens-00001.bin: damaged between offsets 0 and"),
        (["tokens-00000.bin", "tokens-00002.state"], "tokens-00002.state: its SHA-256 is not the one"),
        (["tokens-00002.bin", "tokens-00002.state"], "tokens-00002.bin: damaged between"),
        (["tokens-00000.state"], "tokens-00000.state: its SHA-256 is not the one"),
        (["tokenizer.json"], "tokenizer.json: not the one of manifest.json"),
    ],
)
def test_damage_is_named_and_made_good_byte_for_byte(etl: Run, tmp_path: Path, names: list[str], told: str) -> None:
    etl()
    out, store = tmp_path / "out", FolderStore(str(tmp_path / "out"))
    expected = files_of(out)
    assert damages(store) == []
    for name in names:
        data = bytearray(expected[name])
        data[len(data) // 2] ^= 1
        (out / name).write_bytes(data)
    found = damages(store)
    assert [line.partition(":")[0] for line in found] == sorted(names)
    assert any(line.startswith(told) for line in found)
    etl()
    assert files_of(out) == expected


def test_a_shard_that_is_missing_is_named_and_made_again(etl: Run, tmp_path: Path) -> None:
    etl()
    expected = files_of(tmp_path / "out")
    (tmp_path / "out" / "tokens-00001.bin").unlink()
    (tmp_path / "out" / "tokens-00002.bin").write_bytes(expected["tokens-00000.bin"])
    found = damages(FolderStore(str(tmp_path / "out")))
    assert found == ["tokens-00001.bin: missing", "tokens-00002.bin: whole, and not the one of manifest.json"]
    etl()
    assert files_of(tmp_path / "out") == expected


def test_without_states_a_damaged_shard_is_made_from_the_beginning(etl: Run, tmp_path: Path) -> None:
    etl()
    expected = files_of(tmp_path / "out")
    for path in (tmp_path / "out").glob("*.state"):
        path.unlink()
    assert damages(FolderStore(str(tmp_path / "out"))) == []
    (tmp_path / "out" / "tokens-00001.bin").write_bytes(b"")
    etl()
    assert files_of(tmp_path / "out") == expected


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"shard_tokens": 5000}, "config.shard_tokens is 5000, was 4000"),
        ({"clean": {"min_words": 20}}, "config.clean.min_words is 20, was 50"),
    ],
)
def test_a_run_of_another_configuration_is_refused_until_it_is_begun_anew(
    etl: Run, tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    etl()
    before = files_of(tmp_path / "out")
    with pytest.raises(Failure, match=f"{tmp_path}/out holds another run: {told}. Give back what was"):
        etl(**change)
    assert files_of(tmp_path / "out") == before
    etl(anew=True, **change)
    assert files_of(tmp_path / "out") != before


def test_a_source_that_was_changed_is_refused_by_its_place(
    etl: Run, sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert killed_after(etl, monkeypatch, 5)
    (sources / "b0.txt").write_text("another text")
    with pytest.raises(Failure, match=r"holds another run: sources\[1\]\.size is 12, was"):
        etl()
    (sources / "new.txt").write_text("x")
    with pytest.raises(Failure, match="sources has 12 files, was 11"):
        etl()
    etl(anew=True)
    assert damages(FolderStore(str(tmp_path / "out"))) == []


def test_other_things_in_the_output_are_left_alone(etl: Run, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    names = ("thesis.doc", ".lock", ".tmp-notes", ".tmpfiles", ".tmp-plan.json")
    for name in names:
        (tmp_path / "out" / name).write_text("mine")
    for anew in (False, True):
        with pytest.raises(Failure, match=r"holds other things \(thesis.doc\): give it a place of its own"):
            etl(anew=anew)
    assert {path.name: path.read_text() for path in (tmp_path / "out").iterdir()} == dict.fromkeys(names, "mine")


def test_of_hidden_files_only_those_go_that_a_killed_run_left(etl: Run, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    for name in (".lock", ".tmp-notes", ".tmpfiles", ".tmp-plan.json", ".tmp-tokens-00000.bin"):
        (tmp_path / "out" / name).write_text("mine")
    etl()
    left = {path.name: path.read_text() for path in (tmp_path / "out").glob(".*")}
    assert left == dict.fromkeys((".lock", ".tmp-notes", ".tmpfiles"), "mine")


def test_an_output_among_the_sources_is_refused(etl: Run, sources: Path) -> None:
    before = files_of(sources)
    with pytest.raises(Failure, match=rf"output {sources}/out lies in source {sources}: give one outside of it"):
        etl(output=str(sources / "out"))
    with pytest.raises(Failure, match="lies in source"):
        etl(output=str(sources))
    assert files_of(sources) == before
    assert not (sources / ".lock").exists()  # else it would be one more file that is ignored


def test_a_run_is_not_told_among_its_shards_or_its_sources(etl: Run, sources: Path, tmp_path: Path) -> None:
    with pytest.raises(Failure, match=rf"catalogue {tmp_path}/out/run.json lies in output {tmp_path}/out: give one"):
        etl(catalogue=str(tmp_path / "out" / "run.json"))
    with pytest.raises(Failure, match=f"catalogue {sources}/a.jsonl lies in source {sources}: give one outside of it"):
        etl(catalogue=str(sources / "a.jsonl"))
    assert not (tmp_path / "out").exists()
    with pytest.raises(Failure, match="names no bucket"):
        etl(catalogue="s3://run.json")  # before the work, and not after it
    assert not (tmp_path / "out").exists()


def test_where_nothing_is_kept_the_reasons_are_told(etl: Run, sources: Path) -> None:
    with pytest.raises(Failure, match=r"all 65 documents were dropped \(.*too_few_words 62.*\): see clean"):
        etl(clean={"min_words": 5000})


def test_a_given_tokenizer_is_used_as_it_is(etl: Run, tmp_path: Path) -> None:
    first = etl()
    given = tmp_path / "mine.json"
    given.write_bytes((tmp_path / "out" / "tokenizer.json").read_bytes())
    second = etl(output=str(tmp_path / "again"), tokenizer=str(given))
    assert second["tokenizer"] == first["tokenizer"]
    assert second["shards"] == first["shards"]
    with pytest.raises(Failure, match=r"tokenizer .*/none.json is not there: correct tokenizer"):
        etl(output=str(tmp_path / "third"), tokenizer=str(tmp_path / "none.json"))


@pytest.mark.parametrize("damage", [b"", b"[]", b"{}", b"{"])
def test_a_manifest_or_plan_that_cannot_be_read_is_made_again_or_refused(
    etl: Run, tmp_path: Path, damage: bytes
) -> None:
    etl()
    expected = files_of(tmp_path / "out")
    (tmp_path / "out" / MANIFEST).write_bytes(damage)
    with pytest.raises(Failure, match=r"has no manifest.json that can be read: the run is not finished; run it again"):
        damages(FolderStore(str(tmp_path / "out")))
    etl()
    assert files_of(tmp_path / "out") == expected
    (tmp_path / "out" / "plan.json").write_bytes(damage or b"x")
    with pytest.raises(Failure, match=r"plan.json is damaged: give another output, or --anew"):
        etl()


def test_two_runs_do_not_write_to_one_folder(etl: Run, tmp_path: Path) -> None:
    with FolderStore(str(tmp_path / "out")).held(), pytest.raises(Failure, match="another run is writing to"):
        etl()


def test_files_can_be_read_by_others_and_hold_no_time(etl: Run, tmp_path: Path) -> None:
    etl()
    assert (tmp_path / "out" / MANIFEST).stat().st_mode & 0o044 == 0o044
    assert json.loads((tmp_path / "out" / MANIFEST).read_text())["versions"]["format"] == 2
