from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from train.checkpoint import Checkpoints, Damaged, pack, unpack
from train.config import Failure
from train.store import FolderStore

LIKE = {"params": np.zeros(1000, np.float32), "count": np.zeros((), np.int32)}


def tree(value: float) -> dict[str, np.ndarray]:
    return {"params": np.full(1000, value, np.float32), "count": np.array(int(value), np.int32)}


class Kept(Checkpoints):
    """Checkpoints in a folder, and what was said of them."""

    def __init__(self, folder: Path, keep: int = 3, training: str = "this") -> None:
        self.folder, self.said = folder, list[str]()
        super().__init__(FolderStore(str(folder)), keep, training, self.said.append)

    def save_steps(self, *steps: int) -> None:
        for step in steps:
            self.save(step, 16 * step, tree(step))

    def step(self) -> int | None:
        found = self.newest(LIKE)
        return found[0].step if found else None


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "checkpoints")


def test_what_was_saved_comes_back_to_the_bit(kept: Kept) -> None:
    where = kept.save(20, 320, tree(1 / 3))
    assert Path(where).is_file()
    found = kept.newest(LIKE)
    assert found is not None
    assert (found[0].step, found[0].cursor) == (20, 320)
    np.testing.assert_array_equal(found[1]["params"], tree(1 / 3)["params"])


def test_an_empty_folder_holds_no_checkpoint(kept: Kept) -> None:
    assert kept.step() is None


def test_the_newest_is_taken_and_only_the_newest_few_are_kept(kept: Kept) -> None:
    kept.save_steps(20, 40, 60, 80)
    assert kept.step() == 80
    assert sorted(path.name for path in kept.folder.glob("*.npz")) == [f"step_{step:08d}.npz" for step in (40, 60, 80)]


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (lambda path: flip(path.with_suffix(".npz")), "its digest differs"),
        (lambda path: path.with_suffix(".npz").write_bytes(b"short"), "5 bytes, not"),
        (lambda path: path.with_suffix(".npz").unlink(), "its arrays are missing"),
        (lambda path: path.with_suffix(".json").write_text("{"), "its manifest cannot be read"),
        (lambda path: path.with_suffix(".json").write_text('{"step": 40}'), "its manifest cannot be read"),
    ],
)
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_is_taken(kept: Kept, damage, word: str) -> None:
    kept.save_steps(20, 40)
    damage(kept.folder / "step_00000040")
    assert kept.step() == 20
    assert word in kept.said[0]
    assert "step 40" in kept.said[0]


def test_when_all_are_damaged_there_is_none(kept: Kept) -> None:
    kept.save_steps(20, 40)
    for path in kept.folder.glob("*.npz"):
        flip(path)
    assert kept.step() is None
    assert len(kept.said) == 2


def test_arrays_of_another_shape_or_type_are_damage() -> None:
    for other in ({**LIKE, "params": np.zeros(3, np.float32)}, {**LIKE, "count": np.zeros((), np.float32)}, {}):
        with pytest.raises(Damaged):
            unpack(pack(other), LIKE)


def test_a_manifest_under_another_name_is_damage(kept: Kept) -> None:
    kept.save_steps(20, 40)
    (kept.folder / "step_00000040.json").write_bytes((kept.folder / "step_00000020.json").read_bytes())
    assert kept.step() == 20


def test_a_writer_that_died_before_the_end_leaves_the_previous_one_in_force(kept: Kept) -> None:
    kept.save_steps(20, 40)
    (kept.folder / "latest.json").write_text('{"step": 20}')
    assert kept.step() == 20


def test_a_damaged_pointer_is_said_and_the_newest_is_found_without_it(kept: Kept) -> None:
    kept.save_steps(20, 40)
    (kept.folder / "latest.json").write_text("?")
    assert kept.step() == 40
    assert "latest.json is damaged" in kept.said[0]


def test_a_checkpoint_of_another_training_is_refused_with_what_to_do(kept: Kept) -> None:
    kept.save_steps(20)
    with pytest.raises(Failure, match=r"another training .* give another checkpoint_uri or empty this one"):
        Kept(kept.folder, training="other").newest(LIKE)


def test_numbers_that_are_not_finite_are_never_saved(kept: Kept) -> None:
    with pytest.raises(Failure, match="no longer finite at step 20"):
        kept.save(20, 320, {**tree(1), "params": np.full(1000, np.nan, np.float32)})
    assert not kept.folder.exists()


class Forgetful(FolderStore):
    """A store that changes a bit on the way."""

    def put(self, name: str, data: bytes, content_type: str = "application/octet-stream") -> None:
        super().put(name, data[:-1] + b"?" if name.endswith(".npz") else data, content_type)


def test_a_store_that_gives_other_bytes_back_is_found_out_at_once(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.save_steps(20)
    liar = Checkpoints(Forgetful(str(tmp_path)), 3, "this", kept.said.append)
    with pytest.raises(Failure, match="the checkpoint of step 40 came back different: its digest differs"):
        liar.save(40, 640, tree(40))
    assert json.loads((tmp_path / "latest.json").read_text()) == {"step": 20}
    assert kept.step() == 20
