"""The lesson as a whole: what it prints, learns and logs."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from lessons.__main__ import main
from lessons.fundamentals import digits, mlp
from lessons.layers import parameters
from lessons.training import RATE, fit

from .test_idx import idx
from .test_package import LESSONS


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The lesson with its defaults, run once: what it printed, and its folder of logs."""
    logs = tmp_path_factory.mktemp("logs")
    with pytest.MonkeyPatch.context() as patch:
        printed: list[str] = []
        patch.setattr("builtins.print", lambda *words, end="\n", **_: printed.append(" ".join(map(str, words)) + end))
        assert main(["fundamentals", "--logs", str(logs)]) == 0
    return "".join(printed), logs


@pytest.mark.real
def test_the_network_reads_97_percent_of_the_held_out_digits(taught: tuple[str, Path]) -> None:
    (read,) = re.findall(r"([\d.]+)% of the held-out digits are read", taught[0])
    assert float(read) >= 97


@pytest.mark.real
def test_the_summary_says_the_width_that_the_data_has(taught: tuple[str, Path]) -> None:
    assert "scikit-learn's digits, 8 × 8 pixels: 1,438 to train on, 359 held out; 64 pixels" in taught[0]
    for line in (r"input +\(batch, 64\) +0", r"hidden \(dense\) +\(batch, 128\) +8,320", r"total +9,610"):
        assert re.search(line, taught[0])


@pytest.mark.real
def test_the_lesson_prints_the_numbers_of_its_examples(taught: tuple[str, Path]) -> None:
    for said in ("against [2, 6, 8]: 1\n", "sum 0.3285, mean 0.1095", "comes to (1.8, 2.8)", "0.189"):
        assert said in taught[0]


@pytest.mark.real
def test_tensorboard_finds_each_epoch_s_loss_and_accuracy(taught: tuple[str, Path]) -> None:
    logged = read_scalars(taught[1])
    assert set(logged) == {"loss", "test_accuracy"}
    epochs = mlp.enough_epochs(digits.shipped())
    for values in logged.values():
        assert [step for step, _ in values] == list(range(1, epochs + 1))
    assert logged["loss"][-1][1] < logged["loss"][0][1] / 10
    assert logged["test_accuracy"][-1][1] >= 0.97


@pytest.mark.soak
def test_the_same_seed_is_the_same_network_and_another_holds_out_others() -> None:
    given = digits.shipped()
    one, same = (mlp.train(given, 1)["out"].weight_IxO for _ in range(2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(given.test_MxP, digits.shipped(seed=1).test_MxP)


def test_no_held_out_digit_is_trained_on() -> None:
    given = digits.shipped()
    assert len(given.train_NxP) + len(given.test_MxP) == 1797
    assert not {row.tobytes() for row in given.test_MxP} & {row.tobytes() for row in given.train_NxP}
    assert (given.train_NxP.min(), given.train_NxP.max()) == (0, 1)


def test_mnist_s_width_makes_the_network_784_128_10() -> None:
    assert parameters(mlp.initial(784)) == 784 * 128 + 128 + 128 * 10 + 10 == 101_770


def test_the_training_is_adam_by_its_formula() -> None:
    """One parameter, one sample, two steps: m and v by hand (Kingma and Ba 2015, algorithm 1)."""
    theta = m = v = 0.0
    for step in (1, 2):
        gradient = 2 * (theta - 3)
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        theta -= RATE * (m / (1 - 0.9**step)) / ((v / (1 - 0.999**step)) ** 0.5 + 1e-8)
    found = fit(
        lambda p, x, label, key: ((p - 3) ** 2).sum(), np.zeros(1, np.float32), np.zeros((1, 1)), np.zeros(1), epochs=2
    )
    np.testing.assert_allclose(found, theta, rtol=1e-5)


@pytest.mark.soak
def test_files_of_mnist_are_learnt_from_by_the_whole_network(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """scikit-learn's digits in MNIST's format and size: each pixel three wide and high, and a margin of two."""
    given = digits.shipped()
    parts = (("train", given.train_NxP, given.train_label_N), ("t10k", given.test_MxP, given.test_label_M))
    for part, pixels, labels in parts:
        enlarged = np.kron(pixels.reshape(-1, 8, 8), np.ones((3, 3)))
        images = np.pad(255 * enlarged, ((0, 0), (2, 2), (2, 2))).astype(np.uint8)
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(idx(images))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels.astype(np.uint8)))
    assert main(["fundamentals", "--data", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"hidden \(dense\) +\(batch, 128\) +100,480", printed)
    assert re.search(r"total +101,770", printed)
    (read,) = re.findall(r"([\d.]+)% of the held-out digits are read", printed)
    assert float(read) >= 97


def test_a_folder_without_mnist_ends_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fundamentals", "--data", str(tmp_path)]) == 1
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert "has no train-images-idx3-ubyte" in printed.err


def test_logs_that_cannot_be_written_end_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["fundamentals", "--logs", str(tmp_path / "file"), "--epochs", "1"]) == 1
    assert "logs cannot be written there" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["history"],
        ["fundamentals", "--epochs", "0"],
        ["compress", "--seed", "-1"],
        ["fundamentals", "--seed", str(2**32)],
        ["transfer", "--seed", "99999999999999999999"],
    ],
)
def test_wrong_usage_is_told_what_is_right(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m lessons" in capsys.readouterr().err


@pytest.mark.soak
def test_whoever_reads_the_first_lines_only_is_spared_a_traceback() -> None:
    command = f"{sys.executable} -m lessons fundamentals --epochs 1 | head -1"
    environment = {**os.environ, "PYTHONPATH": str(LESSONS.parent)}
    ended = subprocess.run(command, shell=True, env=environment, capture_output=True, text=True, check=True)
    assert (ended.stdout, ended.stderr) == ("Losses\n", "")


def read_scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """The numbers in a folder's event files: records of a length, its checksum, the event and its checksum."""
    from tensorboardX.proto.event_pb2 import Event  # pyright: ignore[reportAttributeAccessIssue]

    found: dict[str, list[tuple[int, float]]] = {}
    for path in folder.iterdir():
        content = path.read_bytes()
        while content:
            (length,) = struct.unpack("<Q", content[:8])
            event = Event.FromString(content[12 : 12 + length])
            for value in event.summary.value:
                found.setdefault(value.tag, []).append((event.step, value.simple_value))
            content = content[12 + length + 4 :]
    return found
