from __future__ import annotations

import hashlib
import json
import threading
import time
from pathlib import Path

import jax
import numpy as np
import pytest
from safetensors.numpy import load_file
from train.checkpoint.arrays import Damaged, assemble, file_of, pieces_of, read_file
from train.checkpoint.checkpoints import Checkpoints
from train.checkpoint.manifest import Mark
from train.checkpoint.store import Data, FolderStore
from train.checkpoint.writer import Policy
from train.config.failure import Failure
from train.parallel.mesh import arrange, make_mesh, place, shardings

LIKE = {"params": np.zeros(1000, np.float32), "count": np.zeros((), np.int32)}

DEFAULT = Policy()


def tree(value: float) -> dict[str, np.ndarray]:
    return {"params": np.full(1000, value, np.float32), "count": np.array(int(value), np.int32)}


class Kept(Checkpoints):
    """Checkpoints in a folder, what was said to be saved, and what else was said of them."""

    def __init__(
        self, folder: Path, training: str = "this", policy: Policy = DEFAULT, store: type = FolderStore
    ) -> None:
        self.folder, self.said, self.saved = folder, list[str](), list[str]()
        super().__init__(store(str(folder)), training, self._hear, policy)

    def _hear(self, text: str) -> None:
        (self.saved if ": saved as " in text else self.said).append(text)

    def save_steps(self, *steps: int) -> None:
        for step in steps:
            self.save_last(Mark(step, 16 * step), tree(step))

    def step(self) -> int | None:
        found = self.newest(LIKE)
        return found[0].step if found else None


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "checkpoints")


def test_what_was_saved_comes_back_to_the_bit(kept: Kept) -> None:
    where = kept.save_last(Mark(20, 320, "next", "here"), tree(1 / 3))
    assert Path(where).is_file()
    found = kept.newest(LIKE)
    assert found is not None
    assert (found[0].step, found[0].cursor, found[0].next_batch, found[0].topology) == (20, 320, "next", "here")
    np.testing.assert_array_equal(found[1]["params"], tree(1 / 3)["params"])


def test_each_that_counts_is_a_line_with_where_it_is(kept: Kept) -> None:
    kept.save_steps(20, 40)
    assert kept.saved == [f"step {step}: saved as {kept.folder}/step_000000{step}.json" for step in (20, 40)]


def test_the_files_are_those_of_a_library(kept: Kept) -> None:
    kept.save_steps(20)
    arrays = load_file(kept.folder / "step_00000020.0of1.safetensors")
    assert sorted(arrays) == ["count", "params"]
    np.testing.assert_array_equal(arrays["params"], tree(20)["params"])


def test_an_empty_folder_holds_no_checkpoint(kept: Kept) -> None:
    assert kept.step() is None


def test_the_newest_is_taken_and_only_the_newest_few_are_kept(kept: Kept) -> None:
    kept.save_steps(20, 40, 60, 80)
    assert kept.step() == 80
    assert steps_in(kept.folder) == [40, 60, 80]
    assert len(list(kept.folder.iterdir())) == 2 * 3 + 1


def steps_in(folder: Path) -> list[int]:
    return sorted(int(path.name[5:13]) for path in folder.glob("*.safetensors"))


def test_some_are_kept_for_good(tmp_path: Path) -> None:
    kept = Kept(tmp_path, policy=Policy(keep=2, keep_every=40))
    kept.save_steps(20, 40, 60, 80, 100, 120, 140)
    assert steps_in(tmp_path) == [40, 80, 120, 140]


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def alter(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (lambda path: flip(path.with_suffix(".0of1.safetensors")), "the digest of params differs"),
        (lambda path: path.with_suffix(".0of1.safetensors").write_bytes(b"short"), "its arrays cannot be read"),
        (lambda path: cut(path.with_suffix(".0of1.safetensors")), "its arrays cannot be read"),
        (lambda path: path.with_suffix(".0of1.safetensors").unlink(), "its arrays are missing"),
        (lambda path: path.with_suffix(".json").write_text("{"), "its manifest cannot be read"),
        (lambda path: path.with_suffix(".json").write_text('{"step": 40}'), "its manifest cannot be read"),
        (
            lambda path: alter(path.with_suffix(".json"), '"cursor": 640', '"cursor": 641'),
            "its manifest's digest differs",
        ),
    ],
)
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_is_taken(kept: Kept, damage, word: str) -> None:
    kept.save_steps(20, 40)
    damage(kept.folder / "step_00000040")
    assert kept.step() == 20
    assert word in kept.said[0]
    assert "step 40" in kept.said[0]


def test_past_the_last_two_damaged_the_third_is_found(kept: Kept) -> None:
    kept.save_steps(20, 40, 60)
    for path in sorted(kept.folder.glob("*.safetensors"))[-2:]:
        flip(path)
    assert kept.step() == 20
    assert [said.endswith("trying the one before") for said in kept.said] == [True, True]


def test_where_all_are_damaged_nothing_begins_anew_unasked_and_nothing_is_removed(kept: Kept) -> None:
    kept.save_steps(20, 40)
    for path in kept.folder.glob("*.safetensors"):
        flip(path)
    before = sorted(kept.folder.iterdir())
    with pytest.raises(Failure, match=r"is damaged, the newest of step 40, .* begin at step 0 with resume false"):
        kept.newest(LIKE)
    assert [said.rpartition(")")[2] for said in kept.said] == [
        ": trying the one before",
        ", and there is none before it",
    ]
    assert sorted(kept.folder.iterdir()) == before
    kept.pass_over()  # which is what resume false does


def test_arrays_of_another_shape_or_type_are_damage() -> None:
    for other in ({**LIKE, "params": np.zeros(3, np.float32)}, {**LIKE, "count": np.zeros((), np.float32)}, {}):
        pieces = pieces_of(other)
        found = {("f", key): array for key, array in read_file(b"".join(file_of(pieces))).items()}
        with pytest.raises(Damaged):
            assemble([piece.entry("f") for piece in pieces], found, LIKE)


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
        Kept(kept.folder, "other").newest(LIKE)


def test_where_a_refused_training_took_other_rows_a_step_it_is_said(kept: Kept) -> None:
    kept.save_steps(20)
    other = Kept(kept.folder, "other")
    other.batch_rows = 24
    with pytest.raises(Failure, match="its steps took 16 sequences, and these take 24: batch_size, rounded up"):
        other.newest(LIKE)
    other.batch_rows = 16
    with pytest.raises(Failure, match="other text, model, seed or schedule"):
        other.newest(LIKE)


def test_a_refusal_names_what_differs_where_the_newest_says_so(kept: Kept) -> None:
    kept.settings = {"steps": 12, "seed": 0, "model.kv_heads": None}
    kept.save_steps(20)
    other = Kept(kept.folder, "other")
    other.settings = {"steps": 40, "seed": 0, "model.kv_heads": 2}
    differ = r"another training \(steps: 12 there, 40 here; model.kv_heads: absent there, 2 here\): give another"
    with pytest.raises(Failure, match=differ):
        other.newest(LIKE)
    (kept.folder / "latest.json").write_text('{"step": 20}')  # as releases wrote it that had no settings in it
    assert kept.step() == 20
    with pytest.raises(Failure, match="other text, model, seed or schedule"):
        other.newest(LIKE)


def test_a_manifest_has_what_older_releases_know_and_fields_of_later_ones_are_left_out(
    kept: Kept,
) -> None:
    kept.settings = {"steps": 12}
    kept.save_steps(20)
    manifest = kept.folder / "step_00000020.json"
    values = json.loads(manifest.read_bytes())
    assert set(values) == {"step", "cursor", "next_batch", "topology", "training", "entries", "sha256"}
    later = {name: value for name, value in values.items() if name != "sha256"} | {"of a later release": 1}
    sha256 = hashlib.sha256(json.dumps(later, sort_keys=True).encode()).hexdigest()
    manifest.write_text(json.dumps({**later, "sha256": sha256}))
    assert kept.step() == 20
    manifest.write_text(json.dumps({**later, "cursor": 1, "sha256": sha256}))
    with pytest.raises(Failure, match=r"every checkpoint in .* is damaged, the newest of step 20"):
        kept.newest(LIKE)


def test_where_the_manifests_are_gone_that_were_there_nothing_begins_anew(kept: Kept) -> None:
    kept.save_steps(20, 40)
    for manifest in kept.folder.glob("step_*.json"):
        manifest.unlink()
    with pytest.raises(Failure, match=r"every checkpoint in .* is gone, though latest.json names that of step 40"):
        kept.newest(LIKE)


def test_a_run_that_begins_anew_neither_counts_nor_falls_back_to_what_another_left(kept: Kept) -> None:
    kept.save_steps(30, 50, 180)
    anew = Kept(kept.folder)
    anew.pass_over()
    assert "has checkpoints up to step 180: passed over" in anew.said[0]
    anew.save_steps(20, 40)
    assert steps_in(kept.folder) == [20, 40, 50, 180]
    flip(kept.folder / "step_00000040.0of1.safetensors")
    assert anew.step() == 20
    anew.save_steps(60, 80)
    assert steps_in(kept.folder) == [40, 60, 80, 180]


def test_a_run_that_goes_on_counts_those_it_came_from_and_not_what_a_dead_one_left_beyond(tmp_path: Path) -> None:
    Kept(tmp_path, policy=Policy(keep=9)).save_steps(20, 40, 50)
    resumed = Kept(tmp_path)
    resumed.after = 40
    resumed.save_steps(60)
    assert steps_in(tmp_path) == [20, 40, 60]


def test_numbers_that_are_not_finite_are_never_saved(kept: Kept) -> None:
    with pytest.raises(Failure, match="no longer finite at step 20"):
        kept.save_last(Mark(20, 320), {**tree(1), "params": np.full(1000, np.nan, np.float32)})
    assert not list(kept.folder.iterdir())


class Forgetful(FolderStore):
    """A store that changes a bit on the way."""

    def put(self, name: str, data: Data, content_type: str = "application/octet-stream") -> None:
        whole = data if isinstance(data, bytes) else b"".join(data)
        super().put(name, whole[:-1] + b"?" if name.endswith(".safetensors") else whole, content_type)


def test_a_store_that_gives_other_bytes_back_is_found_out_at_once(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.save_steps(20)
    liar = Kept(tmp_path, store=Forgetful)
    with pytest.raises(Failure, match="gave other bytes back than were written: the digest of params differs"):
        liar.save_last(Mark(40, 640), tree(40))
    assert json.loads((tmp_path / "latest.json").read_text())["step"] == 20
    assert kept.step() == 20


class Slow(FolderStore):
    """A store that takes its time until it is let go."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.go_on = threading.Event()

    def put(self, name: str, data: Data, content_type: str = "application/octet-stream") -> None:
        assert self.go_on.wait(10)
        super().put(name, data, content_type)


def test_a_store_that_cannot_follow_costs_checkpoints_and_no_time_and_is_told(tmp_path: Path) -> None:
    kept = Kept(tmp_path, store=Slow)
    for step in (20, 40, 60):
        kept.save(Mark(step, 16 * step), tree(step))
    assert not list(tmp_path.iterdir())  # all three have come back, and the store has not taken a byte yet
    assert [said.partition(":")[0] for said in kept.said] == [
        "the checkpoint of step 40 is left out",
        "the checkpoint of step 60 is left out",
    ]
    assert "that of step 20 is still being written" in kept.said[0]
    assert isinstance(kept.store, Slow)
    kept.store.go_on.set()
    kept.save_steps(80)
    assert steps_in(tmp_path) == [20, 80]


def test_what_is_saved_is_the_state_of_that_moment(tmp_path: Path) -> None:
    kept, state = Kept(tmp_path, store=Slow), tree(20)
    kept.save(Mark(20, 320), state)
    state["params"] += 1  # as the next step does, in the same memory
    assert isinstance(kept.store, Slow)
    kept.store.go_on.set()
    kept.wait()
    found = kept.newest(LIKE)
    assert found is not None
    np.testing.assert_array_equal(found[1]["params"], tree(20)["params"])


class Held:
    """An array that is copied when the test says so."""

    dtype, shape = np.dtype(np.float32), (4,)

    def __init__(self) -> None:
        self.go_on = threading.Event()

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        assert self.go_on.wait(20)
        return np.zeros(4, np.float32)


def test_the_training_waits_for_the_copy_which_the_next_step_would_spoil(kept: Kept) -> None:
    held = Held()
    saving = threading.Thread(target=kept.save, args=[Mark(20, 320), {"params": held}])
    saving.start()
    saving.join(0.2)
    assert saving.is_alive()
    held.go_on.set()
    saving.join(20)
    assert not saving.is_alive()
    kept.wait()
    assert steps_in(kept.folder) == [20]


class Broken(Held):
    """An array that cannot be copied."""

    def __array__(self, dtype: object = None, copy: object = None) -> np.ndarray:
        raise MemoryError("no room for a copy")


def test_what_cannot_be_copied_ends_the_training_and_leaves_nothing_half_written(kept: Kept) -> None:
    kept.save_steps(20)
    with pytest.raises(MemoryError):
        kept.save(Mark(40, 640), {"params": Broken()})
    with pytest.raises(MemoryError):
        kept.wait()
    assert steps_in(kept.folder) == [20]
    assert not list(kept.folder.glob(".writing-*"))


class Full(FolderStore):
    """A disk on which there is no room, until there is."""

    full = True

    def put(self, name: str, data: Data, content_type: str = "application/octet-stream") -> None:
        if self.full:
            raise Failure(f"cannot write {name}: No space left on device")
        super().put(name, data, content_type)


def test_a_full_disk_is_told_and_survived_and_only_the_last_checkpoint_must_be_written(tmp_path: Path) -> None:
    kept = Kept(tmp_path, store=Full)
    kept.save(Mark(20, 320), tree(20))
    kept.wait()
    assert "the checkpoint of step 20 is not written: cannot write step_00000020" in kept.said[0]
    assert kept.saved == []
    with pytest.raises(Failure, match="No space left on device"):
        kept.save_last(Mark(40, 640), tree(40))
    assert isinstance(kept.store, Full)
    kept.store.full = False
    assert kept.save_last(Mark(60, 960), tree(60)).endswith("step_00000060.json")


class Keeping(FolderStore):
    """A store that lets nobody delete."""

    def delete(self, name: str) -> None:
        raise Failure(f"cannot delete {name}: Operation not permitted")


def test_a_refused_deletion_is_told_once_and_takes_no_checkpoint_s_word_away(tmp_path: Path) -> None:
    kept = Kept(tmp_path, store=Keeping)
    kept.save_steps(20, 40, 60, 80, 100)
    assert kept.newest_address.endswith("step_00000100.json")
    assert len(kept.said) == 1
    assert kept.said[0].startswith(
        "old checkpoints stay, and take room: cannot delete step_00000020.json: Operation not"
    )


class Odd(FolderStore):
    """A store with a mistake in it."""

    def put(self, name: str, data: Data, content_type: str = "application/octet-stream") -> None:
        raise ZeroDivisionError


def test_what_nobody_foresaw_while_it_wrote_ends_the_training_at_the_next_checkpoint(tmp_path: Path) -> None:
    kept = Kept(tmp_path, store=Odd)
    kept.save(Mark(20, 320), tree(20))
    while kept._pending is None or not kept._pending.done():
        time.sleep(0.01)
    with pytest.raises(ZeroDivisionError):
        kept.save(Mark(40, 640), tree(40))


def test_what_a_killed_writer_left_is_removed(kept: Kept) -> None:
    kept.save_steps(20)
    (kept.folder / ".writing-abc").write_bytes(b"half")
    assert kept.step() == 20
    assert not list(kept.folder.glob(".*"))


def test_four_megabytes_hold_the_training_up_for_less_than_20_ms(tmp_path: Path) -> None:
    kept, state = Kept(tmp_path), {f"a{n}": jax.numpy.ones(1 << 14) * n for n in range(64)}
    held_up: list[float] = []
    for step in range(1, 6):
        kept.wait()
        began = time.thread_time()  # another test holds that it waits for nothing
        kept.save(Mark(step, step), state)
        held_up.append(time.thread_time() - began)
    kept.wait()
    assert min(held_up) < 0.02


def test_arrays_that_are_spread_over_devices_come_back_whole_and_on_other_devices_too(tmp_path: Path) -> None:
    like = {"down": np.arange(64, dtype=np.float32).reshape(8, 8), "norm": np.ones(8, np.float32)}
    mesh = arrange(make_mesh(), 2, 1)
    kept = Kept(tmp_path)
    kept.save_last(Mark(20, 320), place(shardings(mesh, like), like))
    assert sorted(load_file(tmp_path / "step_00000020.0of1.safetensors")) == ["down@0:8,0:4", "down@0:8,4:8", "norm"]
    found = kept.newest(like)
    assert found is not None
    jax.tree.map(np.testing.assert_array_equal, found[1], like)
