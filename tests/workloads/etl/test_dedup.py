from __future__ import annotations

import numpy as np
import pytest
from etl.config import NearDuplicates
from etl.dedup import Index, exact_key, keys_of, mix, probability, shingles, signature

from .conftest import peak_of, words_of

CONFIG = NearDuplicates()


def changed(words: list[str], count: int, random: np.random.Generator) -> str:
    """The text with ``count`` of its words replaced by new ones."""
    other = list(words)
    for place in random.choice(len(words), count, replace=False):
        other[place] = f"new{place}"
    return " ".join(other)


def jaccard(a: str, b: str) -> float:
    left, right = (set(shingles(text, CONFIG.shingle_words).tolist()) for text in (a, b))
    return len(left & right) / len(left | right)


def judged(texts: list[str], batch: int = 1000, config: NearDuplicates = CONFIG) -> list[str]:
    index, verdicts = Index(config), list[str]()
    for start in range(0, len(texts), batch):
        some = texts[start : start + batch]
        signatures = np.stack([signature(text, config) for text in some])
        keys = keys_of([exact_key(text) for text in some], signatures, config)
        verdicts += index.judge(keys, signatures.astype(np.uint16))
    return verdicts


def test_hashes_are_mixed_as_splitmix64_does() -> None:
    """The first number of each seed, as Vigna's splitmix64.c has it: what is no bijection makes one hash of two."""
    found = mix(np.array([0, 1234567], np.uint64))
    assert found.tolist() == [0xE220A8397B1DCDAF, 6457827717110365317]


@pytest.fixture(scope="module")
def pairs() -> list[tuple[str, str, float]]:
    """Two texts and their true similarity, from 1 to about 0.2."""
    random = np.random.default_rng(7)
    found = []
    for seed in range(300):
        words = words_of(1000 + seed, 300)
        one, other = " ".join(words), changed(words, seed % 75, random)
        found.append((one, other, jaccard(one, other)))
    return found


def test_signatures_estimate_the_similarity_without_bias(pairs: list[tuple[str, str, float]]) -> None:
    errors = [np.mean(signature(a, CONFIG) == signature(b, CONFIG)) - true for a, b, true in pairs]
    spread = np.sqrt(np.mean([true * (1 - true) for *_, true in pairs]) / (CONFIG.bands * CONFIG.rows))
    assert abs(np.mean(errors)) < 4 * spread / len(pairs) ** 0.5
    assert np.std(errors) < 1.2 * spread  # what 128 independent draws would give


def test_the_estimates_are_those_of_datasketch_within_their_noise(pairs: list[tuple[str, str, float]]) -> None:
    from datasketch import MinHash

    def theirs(text: str) -> MinHash:
        found = MinHash(num_perm=128)
        found.update_batch([value.tobytes() for value in shingles(text, CONFIG.shingle_words)])
        return found

    differences = [
        np.mean(signature(a, CONFIG) == signature(b, CONFIG)) - theirs(a).jaccard(theirs(b)) for a, b, _ in pairs[:30]
    ]
    assert abs(np.mean(differences)) < 0.03
    assert np.std(differences) < 0.09  # √2 · 0.044, and a margin


def test_near_duplicates_are_found_and_others_are_not(pairs: list[tuple[str, str, float]]) -> None:
    near = [(a, b) for a, b, true in pairs if true >= 0.9]
    far = [(a, b) for a, b, true in pairs if true <= 0.6]
    assert len(near) > 10
    assert len(far) > 50
    found = [judged([a, b])[1] for a, b in near]
    assert np.mean([bool(verdict) for verdict in found]) >= 0.95  # recall
    assert [judged([a, b])[1] for a, b in far] == [""] * len(far)  # precision


def test_bands_meet_as_often_as_the_documented_curve_says(pairs: list[tuple[str, str, float]]) -> None:
    met, expected = 0, 0.0
    for a, b, true in pairs:
        signatures = np.stack([signature(a, CONFIG), signature(b, CONFIG)])
        keys = keys_of([1, 2], signatures, CONFIG)
        met += bool((keys[0] == keys[1]).any())
        expected += probability(true, CONFIG)
    assert met == pytest.approx(expected, abs=3 * len(pairs) ** 0.5 / 2)


def test_case_and_punctuation_do_not_hide_a_copy_but_an_exact_copy_is_told_apart() -> None:
    text = " ".join(words_of(1))
    assert judged([text, text, text.upper().replace(" ", ", ")]) == ["", "exact", "near"]


def test_a_script_without_spaces_is_compared_by_characters() -> None:
    random = np.random.default_rng(3)
    one = "".join(chr(0x4E00 + c) for c in random.integers(0, 2000, 400))
    other = "".join(chr(0x4E00 + c) for c in random.integers(0, 2000, 400))
    assert judged([one, one[:395] + "天地玄黃宇", other]) == ["", "near", ""]


def test_texts_of_signs_alone_are_not_all_the_same() -> None:
    assert judged(["!!!???", "(((((", ";"]) == ["", "", ""]


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_the_verdicts_do_not_depend_on_the_batches(batch: int) -> None:
    random = np.random.default_rng(5)
    texts = []
    for _ in range(120):
        words = words_of(int(random.integers(0, 40)), 80)
        texts.append(changed(words, int(random.integers(0, 6)), random))
    verdicts = judged(texts)
    assert {"", "near"} <= set(verdicts)
    assert judged(texts, batch) == verdicts


def test_an_index_made_of_what_was_kept_judges_as_the_one_that_kept_it() -> None:
    texts = [" ".join(words_of(seed, 80)) for seed in range(30)]
    signatures = np.stack([signature(text, CONFIG) for text in texts])
    keys, short = keys_of([exact_key(text) for text in texts], signatures, CONFIG), signatures.astype(np.uint16)
    again = Index(CONFIG)
    for start in range(0, 30, 10):
        again.add(keys[start : start + 10], short[start : start + 10])
    assert again.judge(keys, short) == ["exact"] * 30


def test_the_index_takes_the_documented_memory_for_a_document() -> None:
    random, index, count = np.random.default_rng(9), Index(CONFIG), 20_480
    batches = [random.integers(0, 2**64, (512, 17), np.uint64) for _ in range(count // 512)]
    short = random.integers(0, 2**16, (512, 128), np.uint16)
    peak = peak_of(lambda: [index.add(keys, short) for keys in batches])
    assert peak < 800 * count


def test_without_near_duplicates_only_exact_ones_go() -> None:
    words = words_of(1)
    text = " ".join(words)
    config = NearDuplicates(enabled=False)
    index = Index(config)
    keys = keys_of([exact_key(one) for one in (text, text, text + " x")], np.zeros((3, 0), np.uint32), config)
    assert index.judge(keys, np.zeros((3, 0), np.uint16)) == ["", "exact", ""]


def test_the_curve_of_the_defaults_is_the_documented_one() -> None:
    curve = {similarity: round(probability(similarity, CONFIG), 3) for similarity in (0.5, 0.6, 0.7, 0.8, 0.9)}
    assert curve == {0.5: 0.061, 0.6: 0.237, 0.7: 0.613, 0.8: 0.947, 0.9: 1.0}
