from __future__ import annotations

import math
from pathlib import Path

import jax
import numpy as np
import pytest
from lessons.errors import LessonError
from lessons.transfer.resnet import Config
from lessons.transfer.weights import build, fit_to, random_weights, shapes

from .reference_resnet import forward
from .reference_resnet import random_weights as noise

SMALL = Config(stages=(1, 2, 1, 1), width=4, classes=3)
GIVEN = noise(shapes(SMALL))
FILE = Path("resnet.npz")


def logits(config: Config, weights: dict[str, np.ndarray], images_BxCxHxW: np.ndarray) -> np.ndarray:
    model = build(config, weights)
    return np.asarray(jax.jit(lambda images: model(images))(images_BxCxHxW.transpose(0, 2, 3, 1)))


@pytest.mark.parametrize("side", [33, pytest.param(64, marks=pytest.mark.soak)])  # odd sides tell paddings apart
def test_the_model_gives_what_the_reference_gives(side: int) -> None:
    images = np.random.default_rng(1).standard_normal((2, 3, side, side)).astype(np.float32)
    expected = forward(GIVEN, images)
    np.testing.assert_allclose(logits(SMALL, GIVEN, images), expected, rtol=1e-3, atol=1e-3)
    assert np.abs(expected[0] - expected[1]).max() > 0.1


@pytest.mark.soak
def test_the_whole_resnet_50_gives_what_the_reference_gives() -> None:
    weights = noise(shapes(Config()))
    images = np.random.default_rng(1).standard_normal((1, 3, 64, 64)).astype(np.float32)
    expected = forward(weights, images)
    np.testing.assert_allclose(
        logits(Config(), weights, images), expected, rtol=1e-2, atol=1e-3 * np.abs(expected).max()
    )


@pytest.mark.soak
def test_resnet_50_has_the_arrays_and_parameters_of_torchvision_s() -> None:
    wanted = shapes(Config())
    learned = {name: shape for name, shape in wanted.items() if "running" not in name}
    assert (len(learned), len(wanted) - len(learned)) == (161, 106)
    assert sum(math.prod(shape) for shape in learned.values()) == 25_557_032
    for name, shape in {
        "conv1.weight": (64, 3, 7, 7),
        "layer1.0.downsample.0.weight": (256, 64, 1, 1),
        "layer3.5.conv2.weight": (256, 256, 3, 3),
        "layer4.0.downsample.1.running_var": (2048,),
        "layer4.2.bn3.bias": (2048,),
        "fc.weight": (1000, 2048),
    }.items():
        assert wanted[name] == shape


def test_random_weights_are_the_same_for_a_seed_and_keep_the_size_of_a_signal() -> None:
    config = Config(stages=(1, 1, 1, 1), width=16)
    one, same, other = (random_weights(config, seed) for seed in (0, 0, 1))
    for name, array in one.items():
        np.testing.assert_array_equal(array, same[name])
    assert not np.array_equal(one["conv1.weight"], other["conv1.weight"])
    assert set(np.unique(one["bn1.running_var"])) == set(np.unique(one["bn1.weight"])) == {1}
    assert one["layer3.0.conv2.weight"].std() == pytest.approx((2 / (64 * 9)) ** 0.5, rel=0.02)


def test_weights_of_as_many_classes_are_taken_whole() -> None:
    counted = {**GIVEN, "bn1.num_batches_tracked": np.array(7)}
    found, new_head = fit_to(SMALL, counted, FILE, seed=0)
    assert not new_head
    assert found.keys() == GIVEN.keys()
    assert all(found[name] is GIVEN[name] for name in GIVEN)


def test_other_classes_get_a_new_head_and_the_rest_is_kept() -> None:
    found, new_head = fit_to(Config(SMALL.stages, SMALL.width, classes=5), GIVEN, FILE, seed=0)
    assert new_head
    assert found["fc.weight"].shape == (5, 128)
    assert all(found[name] is GIVEN[name] for name in GIVEN if not name.startswith("fc."))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"bn1.bias": None}, "resnet.npz: lacks bn1.bias of this ResNet"),
        ({name: None for name in GIVEN if "layer4" in name}, "layer4.0.bn1.weight and 17 more of this ResNet"),
        ({"layer5.weight": np.zeros(1)}, "has layer5.weight, which this ResNet does not"),
        ({"conv1.weight": np.zeros((4, 3, 3, 3))}, r"conv1.weight is (4, 3, 3, 3), not (4, 3, 7, 7)"),
        ({"bn1.bias": np.full(4, np.nan)}, "bn1.bias holds numbers that are not finite"),
    ],
)
def test_weights_of_another_network_are_refused_by_name(change: dict[str, np.ndarray | None], said: str) -> None:
    changed = {name: array for name, array in {**GIVEN, **change}.items() if array is not None}
    with pytest.raises(LessonError) as caught:
        fit_to(SMALL, changed, FILE, seed=0)
    assert said in str(caught.value)
