from __future__ import annotations

from pathlib import Path
from queue import Empty, SimpleQueue

import numpy as np
import pytest
from train.config.failure import Failure
from train.data.batches import Batches, Prefetch, is_validation, read_corpus, validation_rows
from train.parallel.mesh import rows_of

TEXT = np.arange(1000, dtype=np.uint16)  # each position its own value: a row tells where it was taken from


def test_the_standard_library_is_text_enough_and_always_the_same() -> None:
    corpus = read_corpus(1_000_000)
    assert len(corpus.train) + len(corpus.validation) == pytest.approx(1_000_000, rel=0.01)
    assert read_corpus(1_000_000).digest == corpus.digest


def test_no_held_out_file_is_trained_on(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"m{number}.py").write_text(f"<{number}>")
    corpus = read_corpus(1 << 20, tmp_path)
    assert isinstance(corpus.train, np.ndarray)
    assert isinstance(corpus.validation, np.ndarray)
    held_out = [number for number in range(40) if is_validation(f"m{number}.py")]
    assert held_out
    for number in range(40):
        name = f"<{number}>".encode()
        assert (name in corpus.validation.tobytes()) == (number in held_out)
        assert (name in corpus.train.tobytes()) == (number not in held_out)


def test_a_python_without_sources_is_a_failure_that_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(Failure, match=f"{tmp_path} gives too little text to train and to validate on: 0 bytes"):
        read_corpus(1000, tmp_path)


def test_processes_read_disjoint_rows_that_make_up_the_batch() -> None:
    batches = Batches(TEXT, context=10, batch_size=8, seed=3)
    whole = batches.rows(16, slice(None))
    shares = [batches.rows(16, rows_of(index, 4, 8)) for index in range(4)]
    np.testing.assert_array_equal(np.concatenate(shares), whole)
    assert len({int(row[0]) for share in shares for row in share}) == 8


def test_an_epoch_reads_every_byte_once() -> None:
    batches = Batches(TEXT, context=10, batch_size=9, seed=3)
    drawn = np.concatenate([batches.rows(cursor, slice(None)) for cursor in range(0, len(batches), 9)])
    np.testing.assert_array_equal(np.sort(drawn[:, 1:].ravel()), TEXT[1 : 10 * len(batches) + 1])


def test_epochs_differ_in_order_and_a_batch_may_span_two() -> None:
    batches = Batches(TEXT, context=10, batch_size=8, seed=3)
    first, second = (batches.indices(start) for start in (0, len(batches)))
    assert list(first) != list(second)
    across = batches.indices(len(batches) - 4)
    assert list(across[4:]) == list(second[:4])


def test_the_batch_depends_on_the_cursor_and_not_on_what_was_read_before() -> None:
    batches, again = (Batches(TEXT, context=10, batch_size=8, seed=3) for _ in range(2))
    for cursor in range(0, 400, 8):
        batches.indices(cursor)
    np.testing.assert_array_equal(batches.indices(160), again.indices(160))


def test_another_seed_is_another_order() -> None:
    assert list(Batches(TEXT, 10, 8, seed=3).indices(0)) != list(Batches(TEXT, 10, 8, seed=4).indices(0))


def test_what_is_read_ahead_is_what_comes_next_wherever_the_training_goes_on() -> None:
    batches = Batches(TEXT, context=10, batch_size=8, seed=3)
    ahead = Prefetch(lambda cursor: batches.rows(cursor, slice(None)), 8)
    for cursor in (0, 8, 16, 160, 168, 8):
        np.testing.assert_array_equal(ahead.peek(cursor), batches.rows(cursor, slice(None)))
        np.testing.assert_array_equal(ahead.take(cursor), batches.rows(cursor, slice(None)))


def test_the_next_rows_are_made_before_anybody_asks_and_none_twice() -> None:
    asked = SimpleQueue[int]()
    ahead = Prefetch(lambda cursor: asked.put(cursor) or TEXT[cursor:], 8)
    ahead.take(0)
    ahead.take(8)
    assert [asked.get(timeout=10) for _ in range(3)] == [0, 8, 16]
    ahead._thread.shutdown()  # waits for whatever else was begun
    with pytest.raises(Empty):
        asked.get_nowait()


def test_too_little_text_for_one_sequence_is_a_failure() -> None:
    with pytest.raises(Failure, match="5 tokens of text hold no sequence of 11: give a smaller"):
        Batches(TEXT[:5], context=10, batch_size=1, seed=0)
    with pytest.raises(Failure, match="5 tokens of validation text hold no sequence of 11: give a smaller"):
        validation_rows(TEXT[:5], context=10)


@pytest.mark.parametrize("devices", [1, 3, 64, 100])
def test_held_out_rows_can_be_shared_by_any_number_of_devices(devices: int) -> None:
    assert len(validation_rows(TEXT, 10, devices)) % devices == 0


def test_rows_that_cannot_be_shared_evenly_are_refused() -> None:
    with pytest.raises(Failure, match="7 sequences cannot be shared evenly by 2 processes"):
        rows_of(0, 2, 7)
