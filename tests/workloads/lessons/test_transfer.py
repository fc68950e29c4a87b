"""Fine-tuning: what is frozen stays to the bit, the rest learns, and the lesson says which."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from flax import nnx
from lessons.__main__ import main
from lessons.transfer import lesson, photographs
from lessons.transfer.finetune import FineTuning
from lessons.transfer.images import find
from lessons.transfer.loader import Loader
from lessons.transfer.resnet import PARTS, Config, ResNet, is_frozen, part_of
from lessons.transfer.weights import build, random_weights, shapes
from PIL import Image

TINY = Config(stages=(1, 1, 1, 1), width=4, classes=2)


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The photographs' pieces, cut once."""
    root = tmp_path_factory.mktemp("photographs")
    photographs.write(root)
    return root


def loaders(pieces: Path, side: int = 32) -> tuple[Loader, Loader]:
    train, val = (Loader(split, side, 16, pytest.fail) for split in find(pieces))
    return train, val


def numbers(model: ResNet) -> dict[str, np.ndarray]:
    """Every number of the model, averages of norms included, by its path."""
    return {".".join(map(str, path)): np.asarray(leaf[...]) for path, leaf in nnx.to_flat_state(nnx.state(model))}


def test_the_pieces_are_real_images_and_none_is_in_both_splits(pieces: Path) -> None:
    train, val = find(pieces)
    assert train.classes == val.classes == ("china", "flower")
    assert (len(train.samples), len(val.samples)) == (112, 42)
    assert all(Image.open(path).size == (96, 96) for path, _ in (*train.samples, *val.samples))
    assert len({path.read_bytes() for path, _ in (*train.samples, *val.samples)}) == 154


@pytest.mark.soak
@pytest.mark.parametrize("frozen", range(6))
def test_frozen_parts_stay_to_the_bit_with_their_norms_and_all_others_learn(pieces: Path, frozen: int) -> None:
    before = build(TINY, random_weights(TINY, 0))
    tuning = FineTuning(before, frozen)
    assert all(np.isfinite(loss) for loss in tuning.train(loaders(pieces)[0].training(1, 0)))
    after = numbers(tuning.model)
    for name, array in numbers(before).items():
        path = tuple(name.split("."))
        if is_frozen(path, frozen):
            np.testing.assert_array_equal(after[name], array, err_msg=name)
        else:
            assert not np.array_equal(after[name], array), name


@pytest.mark.soak
def test_fine_tuning_learns_to_tell_the_photographs_apart(pieces: Path) -> None:
    train, val = loaders(pieces)
    tuning = FineTuning(build(TINY, random_weights(TINY, 0)), frozen=0, rate=0.05)
    for epoch in range(1, 9):
        list(tuning.train(train.training(epoch, 0)))
    assert tuning.accuracy(val.testing()) >= 0.95


def test_parts_are_frozen_from_the_image_on_and_the_head_never() -> None:
    assert {part_of(tuple(name.split("."))) for name in shapes(TINY)} == {*PARTS, "fc"}
    for frozen in range(6):
        left = {
            part_of(tuple(name.split("."))) for name in shapes(TINY) if not is_frozen(tuple(name.split(".")), frozen)
        }
        assert left == {*PARTS[frozen:], "fc"}


def test_the_summary_counts_what_learns() -> None:
    model = build(TINY, random_weights(TINY, 0))
    printed = lesson.summary(model, frozen=4)
    counted = {
        name: int(count.replace(",", "")) for name, count in re.findall(r"^(\w+) +([\d,]+)", printed, re.MULTILINE)
    }
    total = sum(int(np.prod(shape)) for name, shape in shapes(TINY).items() if "running" not in name)
    assert counted.pop("total") == sum(counted.values()) == total
    assert re.findall(r"(\w+) +[\d,]+ +frozen", printed) == list(PARTS[:4])
    assert f"{counted['layer4'] + counted['fc']:,} learn" in printed


@pytest.fixture
def tiny_lesson(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lesson with a network that trains in seconds."""
    monkeypatch.setattr(lesson, "Config", lambda classes: Config(TINY.stages, TINY.width, classes))


@pytest.mark.soak
@pytest.mark.usefixtures("tiny_lesson")
def test_the_lesson_says_whose_weights_it_begins_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["transfer", "--epochs", "1", "--size", "32"]) == 0
    assert "no weights were given, so it begins with random ones and transfers nothing" in capsys.readouterr().out
    weights = random_weights(Config(TINY.stages, TINY.width, 1000), 3)
    np.savez(tmp_path / "w.npz", **weights)  # pyright: ignore[reportArgumentType]
    arguments = ["--weights", str(tmp_path / "w.npz"), "--logs", str(tmp_path / "logs")]
    assert main(["transfer", "--epochs", "1", "--size", "32", *arguments]) == 0
    printed = capsys.readouterr().out
    assert f"weights of {tmp_path / 'w.npz'}, but for a new head of 2 classes" in printed
    assert "of the held-out images are told" in printed
    assert list((tmp_path / "logs").iterdir())


@pytest.mark.soak
@pytest.mark.usefixtures("tiny_lesson")
def test_the_lesson_names_damaged_images_and_goes_on(
    pieces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(pieces, tmp_path / "data")
    damaged = find(tmp_path / "data")[0].samples[0][0]
    damaged.write_bytes(damaged.read_bytes()[:500])
    assert main(["transfer", "--data", str(tmp_path / "data"), "--epochs", "1", "--size", "32"]) == 0
    printed = capsys.readouterr()
    assert f"left out, damaged: {damaged}" in printed.err
    assert "damaged images left out: 1" in printed.out


def test_wrong_data_and_wrong_weights_end_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--data", str(tmp_path / "none")], ["--weights", str(tmp_path / "none.pth")]):
        assert main(["transfer", *arguments]) == 1
        printed = capsys.readouterr()
        assert (printed.out, printed.err.count("\n")) == ("", 1)
        assert "there is no such f" in printed.err


@pytest.mark.soak
def test_the_whole_resnet_50_is_fine_tuned(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["transfer", "--epochs", "2"]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"total +23,512,130 +14,968,834 learn", printed)
    first, second = (float(loss) for loss in re.findall(r"loss ([\d.]+)", printed))
    assert second < first
