from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lessons.errors import LessonError
from lessons.transfer.augment import DEVIATION, MEAN, for_testing, for_training, normalize, random_box
from lessons.transfer.images import DamagedImage, decode, find
from lessons.transfer.loader import Loader
from PIL import Image


def picture(path: Path, colour: int = 0, mode: str = "RGB", side: int = 40) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(colour).integers(0, 256, (side, side, 3)).astype(np.uint8)
    Image.fromarray(pixels).convert(mode).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes of five images to train on and three to test on."""
    for split, count in (("train", 5), ("val", 3)):
        for label, name in enumerate(("zebra", "ant")):
            for number in range(count):
                picture(tmp_path / split / name / f"{number}.jpg", colour=10 * label + number)
    return tmp_path


def test_classes_and_images_are_in_the_order_of_their_names(folder: Path) -> None:
    picture(folder / "train" / "ant" / "deeper" / "10.JPEG")
    (folder / "train" / ".DS_Store").write_text("")
    (folder / "train" / "ant" / "._0.jpg").write_text("left by an archiver")
    (folder / "train" / "ant" / "notes.txt").write_text("no image")
    train, val = find(folder)
    assert train.classes == val.classes == ("ant", "zebra")
    names = [str(path.relative_to(folder / "train" / "ant")) for path, label in train.samples if label == 0]
    assert names == ["0.jpg", "1.jpg", "2.jpg", "3.jpg", "4.jpg", "deeper/10.JPEG"]
    assert [label for _, label in val.samples] == [0, 0, 0, 1, 1, 1]


def test_a_layout_that_is_not_imagenet_s_is_refused_with_what_is_wrong(folder: Path) -> None:
    with pytest.raises(LessonError, match="there is no such folder; images lie in train/<class>/"):
        find(folder / "train")
    (folder / "val" / "dog").mkdir()
    with pytest.raises(LessonError, match=r"dog: has no image \(\.jpg"):
        find(folder)
    picture(folder / "val" / "dog" / "0.png")
    with pytest.raises(LessonError, match="the same classes; only one has dog"):
        find(folder)
    (folder / "one" / "train" / "ant").mkdir(parents=True)
    with pytest.raises(LessonError, match="has 1 folders of images; two classes are the least"):
        find(folder / "one")


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "P", "1"])
def test_every_kind_of_image_becomes_red_green_and_blue(tmp_path: Path, mode: str) -> None:
    ending = "jpg" if mode == "CMYK" else "png"
    image = decode(picture(tmp_path / f"x.{ending}", mode=mode))
    assert (image.mode, image.size) == ("RGB", (40, 40))


@pytest.mark.parametrize(("ending", "kind"), [("png", "<u2"), ("tiff", ">u2")])
def test_grey_of_16_bits_keeps_its_shades(tmp_path: Path, ending: str, kind: str) -> None:
    shades = np.array([[0, 255, 256, 32768, 65535]], kind)
    Image.fromarray(shades).save(tmp_path / f"x.{ending}")
    assert [pixel[0] for pixel in np.asarray(decode(tmp_path / f"x.{ending}"))[0]] == [0, 0, 1, 128, 255]


def test_grey_of_16_bits_that_ends_early_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 2**16, (40, 40)).astype(np.uint16)).save(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DamagedImage, match=str(path)):
        decode(path)


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_numbers_of_which_none_is_known_to_be_white_are_left_out(tmp_path: Path, kind: type) -> None:
    Image.fromarray(np.full((4, 4), 100_000, kind)).save(tmp_path / "x.tiff")
    with pytest.raises(DamagedImage, match=r"x\.tiff: its numbers have 32 bits.* save it with 8 or 16 bits"):
        decode(tmp_path / "x.tiff")


@pytest.mark.parametrize("ending", ["jpg", "png"])
@pytest.mark.parametrize("kept", [0, 0.1, 0.5, 0.9])
def test_an_image_that_ends_early_is_damaged_and_named(tmp_path: Path, ending: str, kept: float) -> None:
    path = picture(tmp_path / f"x.{ending}")
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    with pytest.raises(DamagedImage, match=str(path)):
        decode(path)


def test_a_small_file_that_would_be_a_huge_image_is_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 700)  # and Pillow refuses twice as many
    with pytest.raises(DamagedImage, match="decompression bomb"):
        decode(picture(tmp_path / "x.png"))


def test_damaged_images_are_left_out_and_each_is_said_once(folder: Path) -> None:
    damaged = folder / "train" / "ant" / "2.jpg"
    damaged.write_bytes(b"no image")
    said: list[str] = []
    loader = Loader(find(folder)[0], 16, 4, said.append)
    for _ in range(2):
        labels = np.concatenate([labels for _, labels in loader.testing()])
        np.testing.assert_array_equal(labels, [0] * 4 + [1] * 5)
    assert len(said) == 1
    assert said[0].startswith(f"left out, damaged: {damaged}: ")
    assert loader.damaged == {damaged}


def test_a_folder_of_which_nothing_can_be_decoded_is_refused(folder: Path) -> None:
    for path in (folder / "val").rglob("*.jpg"):
        path.write_bytes(b"no image")
    with pytest.raises(LessonError, match=f"{folder / 'val'}: none of its images can be decoded"):
        list(Loader(find(folder)[1], 16, 4, lambda _: None).testing())


def test_an_epoch_is_the_same_for_its_seed_however_threads_run_and_each_epoch_is_another(folder: Path) -> None:
    loader = Loader(find(folder)[0], 16, 4, lambda _: None)

    def epoch(number: int, seed: int) -> np.ndarray:
        return np.concatenate([images for images, _ in loader.training(number, seed)])

    first = epoch(1, 0)
    assert first.shape == (8, 16, 16, 3)  # 10 images are two full batches of 4
    np.testing.assert_array_equal(first, epoch(1, 0))
    assert not np.array_equal(first, epoch(2, 0))
    assert not np.array_equal(first, epoch(1, 1))


def test_what_damage_leaves_of_a_batch_is_trained_on_too(folder: Path) -> None:
    for path, label in find(folder)[0].samples:
        if label == 0:
            path.write_bytes(b"no image")
    ((images, labels),) = Loader(find(folder)[0], 16, 8, lambda _: None).training(1, 0)
    assert (len(images), list(labels)) == (5, [1] * 5)


def test_fewer_images_than_a_batch_are_one_batch(folder: Path) -> None:
    ((images, labels),) = Loader(find(folder)[0], 16, 64, lambda _: None).training(1, 0)
    assert (len(images), sorted(labels)) == (10, [0] * 5 + [1] * 5)


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(0, 99))
def test_a_random_part_is_within_the_image(width: int, height: int, seed: int) -> None:
    left, top, right, bottom = random_box(width, height, np.random.default_rng(seed))
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height


def test_half_of_the_training_images_are_mirrored() -> None:
    gradient = Image.fromarray(np.tile(np.arange(0, 240, 4, dtype=np.uint8)[None, :, None], (60, 1, 3)))
    random = np.random.default_rng(0)
    rises = [float(np.diff(for_training(gradient, 8, random)[0, :, 0]).mean()) > 0 for _ in range(200)]
    assert 80 < sum(rises) < 120


def test_tests_see_the_middle_of_an_image_and_always_the_same() -> None:
    pixels = np.zeros((80, 120, 3), np.uint8)
    pixels[36:44, 56:64] = 255
    image = Image.fromarray(pixels)
    seen = for_testing(image, 35)[:, :, 0]
    assert np.unravel_index(seen.argmax(), seen.shape) in {(r, c) for r in (16, 17, 18) for c in (16, 17, 18)}
    np.testing.assert_array_equal(seen, for_testing(image, 35)[:, :, 0])


def test_the_mean_colour_of_imagenet_becomes_zero() -> None:
    np.testing.assert_allclose(normalize(255 * np.array([[MEAN]])), 0, atol=1e-6)
    np.testing.assert_allclose(normalize(255 * (np.array([[MEAN]]) + DEVIATION)), 1, rtol=1e-6)
