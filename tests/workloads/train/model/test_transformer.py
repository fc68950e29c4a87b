from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from train.config.settings import PRESETS, ModelConfig, TrainConfig
from train.model.attention import IMPLEMENTATIONS, candidates, choose, plain
from train.model.transformer import Params, Transformer, compute_dtype, count, flops_per_token, initial, rotate
from train.train import _HURRY as HURRY

from tests.workloads.train.model import reference

CONFIG = ModelConfig(layers=2, width=16, heads=2, kv_heads=1, context=12)
GPT2 = ModelConfig(architecture="gpt2", layers=1, width=16, heads=2, context=12)
both = pytest.mark.parametrize("config", [CONFIG, GPT2], ids=["llama", "gpt2"])


def params(config: ModelConfig) -> Params:
    return initial(config, 0)


# Each of these is one program for all tests: to compile each operation alone takes ten times as long, and what is asked
# of their results is asked of NumPy, which compiles nothing.
@cache
def compiled(architecture: str, dtype: str) -> Callable[[Params, np.ndarray], jax.Array]:
    config = {"llama": CONFIG, "gpt2": GPT2}[architecture]
    return jax.jit(Transformer(config, jnp.dtype(dtype)).logits, compiler_options=HURRY)


attention = jax.jit(plain, compiler_options=HURRY)
rotated = jax.jit(rotate, compiler_options=HURRY)


def logits(tokens: np.ndarray, config: ModelConfig = CONFIG, dtype: str = "float32") -> np.ndarray:
    return np.asarray(compiled(config.architecture, dtype)(params(config), tokens))


def tokens(seed: int = 0) -> np.ndarray:
    """Rows that are shorter than the context."""
    return np.random.default_rng(seed).integers(0, CONFIG.vocabulary, (3, 9)).astype(np.int32)


@both
def test_no_prediction_depends_on_what_follows(config: ModelConfig) -> None:
    before = tokens()
    after = np.concatenate([before[:, :7], tokens(1)[:, 7:]], axis=1)
    here, there = logits(before, config), logits(after, config)
    np.testing.assert_allclose(here[:, :7], there[:, :7], atol=1e-5)
    assert np.abs(here[:, 7:] - there[:, 7:]).max() > 0.01


def test_every_prediction_depends_on_what_came_before() -> None:
    changed = tokens()
    changed[:, 0] = (changed[:, 0] + 1) % CONFIG.vocabulary
    difference = np.abs(logits(tokens()) - logits(changed)).max(axis=(0, 2))
    assert difference.min() > 1e-4


def random_params(config: ModelConfig) -> Params:
    """No scale is 1 and no bias 0, so that each has its effect."""
    random = np.random.default_rng(3)
    of = {"norm": 1.0, "positions": 1.0}
    return jax.tree.map_with_path(
        lambda path, leaf: np.float32(of.get(path[-1].key, 0.3)) * random.standard_normal(leaf.shape, np.float32),
        params(config),
    )


@pytest.mark.parametrize(("dtype", "error"), [("float32", 1e-5), ("bfloat16", 0.03)], ids=["float32", "bfloat16"])
@both
def test_the_logits_are_those_of_the_papers(config: ModelConfig, dtype: str, error: float) -> None:
    arrays, text = random_params(config), tokens()
    given = np.asarray(compiled(config.architecture, dtype)(arrays, text))
    wanted = np.stack([reference.logits(config, arrays, row) for row in text])
    assert (given.shape, given.dtype) == ((3, 9, config.vocabulary), np.float32)
    assert np.square(given - wanted).mean() ** 0.5 < error * wanted.std()


def test_logits_are_not_rounded_to_the_type_that_is_computed_in() -> None:
    given = logits(tokens(), dtype="bfloat16")
    assert (given != given.astype(jnp.bfloat16)).mean() > 0.9


def gradient(config: ModelConfig, remat: str) -> jax.stages.Lowered:
    """The gradient of the loss, not compiled yet."""
    model = Transformer(config.model_copy(update={"remat": remat}), jnp.dtype(jnp.float32))
    loss = jax.jit(jax.grad(lambda arrays: model.loss_B(arrays, jnp.asarray(tokens())).mean()))
    return loss.lower(params(config))


@both
def test_what_is_not_kept_is_computed_again_in_the_backward_pass(config: ModelConfig) -> None:
    costs: list[Any] = [gradient(config, remat).cost_analysis() for remat in ("none", "dots", "block")]
    none, dots, block = (cost["flops"] for cost in costs)
    assert none < dots < block


@pytest.mark.real  # compiles for seconds
@both
def test_what_is_computed_again_in_the_backward_pass_changes_no_gradient(config: ModelConfig) -> None:
    hurry: Any = HURRY
    wanted, *others = (gradient(config, remat).compile(hurry)(params(config)) for remat in ("none", "dots", "block"))
    for other in others:
        jax.tree.map(partial(np.testing.assert_allclose, atol=1e-6, rtol=1e-4), other, wanted)


@both
def test_an_untrained_model_knows_little_more_than_chance(config: ModelConfig) -> None:
    given = logits(tokens(), config)[:, :-1]
    logprobs = given - np.log(np.exp(given).sum(axis=-1, keepdims=True))
    assert abs(-logprobs.mean() - np.log(config.vocabulary)) < 1


def test_the_parameters_are_the_same_wherever_they_are_made() -> None:
    same, other = initial(CONFIG, 0), initial(CONFIG, 1)
    jax.tree.map(np.testing.assert_array_equal, same, params(CONFIG))
    assert not np.array_equal(other["embed"], same["embed"])
    assert sum(leaf.size for leaf in jax.tree.leaves(same)) == count(CONFIG)


def test_the_presets_are_of_the_size_that_they_are_called_by() -> None:
    sizes = {name: count(TrainConfig.model_validate({"preset": name}).model) for name in PRESETS}
    assert sizes["124m"] == 124_475_904  # GPT-2's 124,439,808, its vocabulary rounded up to a multiple of 64
    assert sizes["1b"] == 1_100_048_384  # TinyLlama's
    # 6 a parameter, and attention: of GPT-2's smallest at its full context about an eighth more.
    assert flops_per_token(TrainConfig.model_validate({"preset": "124m"}).model) == pytest.approx(8.55e8, rel=0.01)


def test_every_weight_counts_but_the_table_that_is_only_looked_up() -> None:
    """Of 16 numbers in 2 heads of 8 and one of keys and values, 32 inside the feed-forward, 12 tokens, 256 of them."""
    queries_keys_values, out, gates, down, norms = 16 * (2 + 1 + 1) * 8, 16 * 16, 2 * 16 * 32, 32 * 16, 2 * 16
    layer = queries_keys_values + out + gates + down + norms
    attention = 12 * 2 * 2 * 8 * 12  # two layers; each of 2 heads, whoever shares the keys
    assert flops_per_token(CONFIG) == 6 * (2 * layer + 16 + 16 * 256) + attention


def test_every_implementation_of_attention_gives_what_the_usual_one_gives_with_its_heads_repeated() -> None:
    random = np.random.default_rng(0)
    q = random.standard_normal((2, 6, 2, 3, 8)).astype(np.float32)
    k, v = (random.standard_normal((2, 6, 2, 8)).astype(np.float32) for _ in range(2))

    @partial(jax.jit, compiler_options=HURRY)
    def ways(q: jax.Array, k: jax.Array, v: jax.Array) -> list[jax.Array]:
        repeated = (each.repeat(3, axis=2) for each in (k, v))
        usual = jax.nn.dot_product_attention(q.reshape(2, 6, 6, 8), *repeated, is_causal=True).reshape(q.shape)
        return [usual, IMPLEMENTATIONS["xla"](q, k, v), plain(q, k, v)]

    usual, *others = ways(q, k, v)
    for other in others:
        np.testing.assert_allclose(other, usual, atol=1e-5)


def test_the_fastest_attention_is_chosen_among_those_that_run() -> None:
    name, seconds = choose(CONFIG, 1, jnp.dtype(jnp.float32), ("plain", "cudnn"))  # a CPU has no cuDNN
    assert (name, list(seconds)) == ("plain", ["plain"])
    assert seconds["plain"] > 0
    assert choose(CONFIG, 1, jnp.dtype(jnp.float32), candidates("cpu")) == ("plain", {})
    assert "cudnn" in candidates("gpu")


def test_the_product_of_rotated_vectors_depends_on_their_distance_only() -> None:
    query, key = np.random.default_rng(0).standard_normal((2, 8)).astype(np.float32)
    everywhere = [np.asarray(rotated(np.broadcast_to(vector, (1, 20, 1, 8))))[0, :, 0] for vector in (query, key)]
    products = everywhere[0] @ everywhere[1].T
    for distance in range(-6, 7):
        np.testing.assert_allclose(np.diagonal(products, distance), products.diagonal(distance)[0], atol=1e-4)
    assert np.ptp(products[10]) > 0.1


def test_rotation_keeps_lengths_and_leaves_the_first_position_alone() -> None:
    x = np.random.default_rng(0).standard_normal((2, 9, 3, 8)).astype(np.float32)
    turned = np.asarray(rotated(x))
    np.testing.assert_allclose(np.linalg.norm(turned, axis=-1), np.linalg.norm(x, axis=-1), rtol=1e-5)
    np.testing.assert_array_equal(turned[:, 0], x[:, 0])
    np.testing.assert_array_equal(np.asarray(rotated(x[:, :, :, None]))[:, :, :, 0], turned)


def test_scores_that_bfloat16_cannot_tell_apart_weigh_differently() -> None:
    q = np.array([32, 2, 0, 0], jnp.bfloat16).reshape(1, 1, 1, 1, 4).repeat(2, axis=1)
    k = np.array([[16, 0, 0, 0], [16, 0.5, 0, 0]], jnp.bfloat16).reshape(1, 2, 1, 4)  # scores of 256 and 256.5
    v = np.array([[0.0] * 4, [1.0] * 4], jnp.bfloat16).reshape(1, 2, 1, 4)
    assert float(np.asarray(attention(q, k, v))[0, 1, 0, 0, 0]) == pytest.approx(1 / (1 + np.exp(-0.5)), rel=0.01)


def test_attention_averages_what_it_may_see() -> None:
    zeros = np.zeros((1, 4, 1, 2), np.float32)
    values = np.arange(4, dtype=np.float32).reshape(1, 4, 1, 1).repeat(2, axis=3)
    given = np.asarray(attention(zeros[:, :, :, None], zeros, values))
    np.testing.assert_allclose(given[0, :, 0, 0, 0], [0, 0.5, 1, 1.5], atol=1e-6)


def test_only_chips_that_multiply_bfloat16_fast_compute_in_it() -> None:
    assert compute_dtype("cpu") == jnp.float32
    assert {compute_dtype("gpu"), compute_dtype("tpu")} == {jnp.dtype(jnp.bfloat16)}
