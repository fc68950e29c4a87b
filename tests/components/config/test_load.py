"""A stack file is taken whole or refused with every problem, its place and its remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from components.config import ConfigurationError, load

from ..stack_files import GOOD, only, problems


def test_a_good_file_is_taken_with_its_defaults(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.test.yaml").write_text(GOOD)
    config = load(tmp_path / "Pulumi.test.yaml")
    assert (config.network.nat, config.pools["cpu"].most, config.retain_data) == ("per_zone", 2, True)


def test_a_bare_key_belongs_to_the_project_as_it_does_for_the_cli(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.test.yaml").write_text(GOOD.replace("ai-datacenter:name", "name"))
    assert load(tmp_path / "Pulumi.test.yaml").name == "aidc-test"


@pytest.mark.parametrize(("written", "meant"), [('"false"', False), ('"true"', True), ("false", False)])
def test_a_boolean_that_the_cli_has_rewritten_as_text_means_the_same(tmp_path: Path, written: str, meant: bool) -> None:
    (tmp_path / "Pulumi.test.yaml").write_text(GOOD + f"  ai-datacenter:retain_data: {written}\nencryptionsalt: v1:x\n")
    assert load(tmp_path / "Pulumi.test.yaml").retain_data is meant


@pytest.mark.parametrize("value", ['"maybe"', "1", "[]", '"no"'])
def test_what_is_no_boolean_is_told_with_its_place(tmp_path: Path, value: str) -> None:
    (problem,) = problems(tmp_path, GOOD + f"  ai-datacenter:retain_data: {value}\n")
    assert (problem.line, problem.key) == (13, "ai-datacenter:retain_data")
    assert "boolean" in problem.message


def test_an_unknown_instance_type_is_told_with_place_nearest_and_where_all_are(tmp_path: Path) -> None:
    problem = only(tmp_path, "m7i.large", "m7i.larg")
    assert str(problem) == (
        "Pulumi.test.yaml:9:22: ai-datacenter:pools.cpu.instance_type: instance type 'm7i.larg' is not known. "
        f'Did you mean "m7i.large"? Closest of the {len(problem.allowed)} allowed: m7i.large, m7i.xlarge, '
        "m7i.8xlarge, m7i.4xlarge; docs/catalogue.md has them all."
    )


def test_few_allowed_values_are_all_told(tmp_path: Path) -> None:
    assert str(only(tmp_path, "pool: cpu", "pool: gpu")).endswith("Allowed: cpu.")


def test_a_release_among_the_allowed_is_spelled_as_the_file_must_have_it(tmp_path: Path) -> None:
    text = GOOD.replace("ai-datacenter:pools:", "ai-datacenter:cluster: {version: 1.3}\n  ai-datacenter:pools:")
    (problem,) = problems(tmp_path, text)
    assert str(problem).endswith('quote it ("1.3"). Did you mean "1.34"? Allowed: "1.34".')


def test_an_unknown_region_is_told_with_the_nearest(tmp_path: Path) -> None:
    problem = only(tmp_path, "us-east-1", "us-east-11")
    assert (problem.line, problem.column, problem.key, problem.nearest) == (2, 15, "aws:region", "us-east-1")


def test_a_wrong_key_is_told_where_it_stands_with_the_known_keys(tmp_path: Path) -> None:
    problem = only(tmp_path, "desired_size: 2", "desired_size: 2\n      disk_size: 100")
    assert (problem.line, problem.column, problem.nearest) == (11, 7, "disk_size_gb")
    assert "max_size" in problem.allowed


def test_a_misspelled_namespace_is_no_foreign_one(tmp_path: Path) -> None:
    problem = only(tmp_path, "ai-datacenter:name", "other:key: 1\n  ai-datacentre:tags: {}\n  ai-datacenter:name")
    assert (problem.line, problem.nearest) == (5, "ai-datacenter")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("reserved_cidrs: [10.0.4.0/24]", "10.0.4.0/24 overlaps network.cidr 10.0.0.0/16"),
        ("reserved_cidrs: [172.20.1.0/24]", "cluster.service_cidr 172.20.0.0/16 and network.reserved_cidrs"),
    ],
)
def test_overlapping_ranges_are_refused(tmp_path: Path, line: str, what: str) -> None:
    assert what in only(tmp_path, "cidr: 10.0.0.0/16", f"cidr: 10.0.0.0/16\n    {line}").message


@pytest.mark.parametrize("value", ["010", "1e3", "0x10", "1_000", "1:30", "no", "On", "2024-01-01", ".inf", "+2"])
def test_a_value_that_readers_disagree_about_is_refused(tmp_path: Path, value: str) -> None:
    problem = only(tmp_path, "desired_size: 2", f"desired_size: {value}")
    assert (problem.line, problem.column) == (10, 21)
    assert "YAML readers" in problem.message
    assert f'"{value}"' in problem.message


@pytest.mark.parametrize(("old", "new"), [('"123456789012"', "123456789012"), ("aidc-test", "1.34")])
def test_a_number_where_text_is_meant_is_told_to_be_quoted(tmp_path: Path, old: str, new: str) -> None:
    assert "quote it" in only(tmp_path, old, new).message


def test_everything_wrong_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = (
        GOOD.replace("us-east-1", "us-east-11")
        .replace("m7i.large", "m9")
        .replace("desired_size: 2", "desired_size: no")
    )
    found = problems(tmp_path, text.replace("pool: cpu", "pool: gpu").replace("/16", "/16\n    natt: one"))
    assert [problem.line for problem in found] == [2, 7, 10, 11, 13]


def test_a_missing_section_and_field_are_told(tmp_path: Path) -> None:
    assert "is missing" in only(tmp_path, "      desired_size: 2\n", "").message
    assert only(tmp_path, "  ai-datacenter:smoke_test:\n    pool: cpu\n", "").key == "ai-datacenter:smoke_test"


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    assert (
        "second time (first on line 9)"
        in only(tmp_path, "m7i.large", "m7i.large\n      instance_type: c7i.large").message
    )


def test_a_secret_is_refused_without_being_shown(tmp_path: Path) -> None:
    problem = only(tmp_path, "name: aidc-test", "name:\n    secure: canary-ciphertext")
    assert "secret" in problem.message
    assert "canary" not in str(problem)


@pytest.mark.parametrize(
    ("extra", "key"),
    [
        ("capacity: capacity_block", "capacity"),
        ("placement_group: true", "placement_group"),
        ("min_size: 3", "desired_size"),
        ("zone: us-east-1a", "zone"),
    ],
)
def test_a_pool_that_cannot_be_is_refused(tmp_path: Path, extra: str, key: str) -> None:
    problem = only(tmp_path, "desired_size: 2", f"desired_size: 2\n      {extra}")
    assert problem.key == f"ai-datacenter:pools.cpu.{key}"


@pytest.mark.parametrize("text", ["", "config:\n", "config: [", "- a\n", "\tx"])
def test_what_is_no_stack_file_is_told_in_a_sentence(tmp_path: Path, text: str) -> None:
    assert len(problems(tmp_path, text)) >= 1


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load(tmp_path / "Pulumi.none.yaml")


def test_a_conflict_is_told_together_with_what_is_wrong_beside_it(tmp_path: Path) -> None:
    text = GOOD.replace("m7i.large", "m7i.larg").replace("desired_size: 2", "desired_size: 2\n      min_size: 3")
    text = text.replace("cidr: 10.0.0.0/16", "cidr: 10.0.0.0/8\n    nat: both")
    found = problems(tmp_path, text)
    assert [(problem.line, problem.key.rpartition(".")[2]) for problem in found] == [
        (6, "cidr"),
        (7, "nat"),
        (10, "instance_type"),
        (11, "desired_size"),
    ]


def test_a_rule_is_silent_where_one_of_its_values_is_wrong_by_itself(tmp_path: Path) -> None:
    text = GOOD.replace("cidr: 10.0.0.0/16", "cidr: 10.0.0.0/33\n    reserved_cidrs: [10.0.4.0/24]")
    (problem,) = problems(tmp_path, text.replace("pool: cpu", "pool: cpu\n    steps: 2"))
    assert problem.key == "ai-datacenter:network.cidr"


@pytest.mark.parametrize(
    ("old", "new", "character"),
    [
        ("m7i.large", "m7i.l\u0430rge", 'character 6, "\u0430", is U+0430 CYRILLIC SMALL LETTER A and no "a"'),
        ("desired_size: 2", "desired_size: \uff12", 'is U+FF12 FULLWIDTH DIGIT TWO and no "2"'),
        ("aidc-test", "aidc\u2011test", 'is U+2011 NON-BREAKING HYPHEN and no "-"'),
        ("10.0.0.0/16", "10.0.0.0/1\u0661", 'is U+0661 ARABIC-INDIC DIGIT ONE and no "1"'),
        ("m7i.large", "m7i.large\u200b", "character 10 is U+200B ZERO WIDTH SPACE, which cannot be seen"),
        ("    cidr:", "    \u0441idr:", "is U+0441 CYRILLIC SMALL LETTER ES"),
    ],
)
def test_a_character_that_looks_like_another_is_named(tmp_path: Path, old: str, new: str, character: str) -> None:
    found = problems(tmp_path, GOOD.replace(old, new))
    assert character in " ".join(map(str, found))


def test_a_character_that_cannot_be_seen_is_refused_even_where_any_text_may_stand(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, GOOD + "  ai-datacenter:tags:\n    owner: ml\u202eteam\n")
    assert "U+202E RIGHT-TO-LEFT OVERRIDE" in problem.message
    (tmp_path / "Pulumi.test.yaml").write_text(GOOD + "  ai-datacenter:tags:\n    owner: Jos\u00e9 M\u00fcller\n")
    assert load(tmp_path / "Pulumi.test.yaml").tags == {"owner": "Jos\u00e9 M\u00fcller"}


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ('desired_size: "2"', "write 2 without quotes"),
        ('desired_size: 2\n      placement_group: "true"', "write true without quotes"),
        ("desired_size: true", "should be a valid integer"),
        ("desired_size: 2.0", "should be a valid integer"),
        ("desired_size: 2\n      labels: {a: 1}", 'quote it ("1")'),
        ("desired_size: -1", "greater than or equal to 0"),
        ("desired_size: .nan", "YAML readers"),
        ("desired_size: !!str 2", "says what kind of value"),
        ("desired_size: " + "9" * 5000, "YAML readers"),
    ],
)
def test_a_value_of_another_type_than_its_field_is_told_with_its_remedy(tmp_path: Path, line: str, remedy: str) -> None:
    problem = only(tmp_path, "desired_size: 2", line)
    assert remedy in problem.message
    assert len(problem.message) < 300


@pytest.mark.parametrize(
    ("section", "remedy"),
    [
        ("cluster: {version: 1.34}", 'quote it ("1.34")'),
        ("cluster: {version: 1.30}", "needs text, and 1.3 is a number"),
        ('cluster: {log_retention_days: "90"}', "write 90 without quotes"),
        ("cluster: {log_retention_days: 91}", "is not known"),
        ("cluster: {log_retention_days: 90.0}", "is not known"),
    ],
)
def test_a_choice_of_another_type_is_told_as_that(tmp_path: Path, section: str, remedy: str) -> None:
    (problem,) = problems(tmp_path, GOOD + f"  ai-datacenter:{section}\n")
    assert remedy in problem.message
    assert problem.allowed


@pytest.mark.parametrize("name", ["no", "on", "010", "1e3", "~", "2024-01-01"])
def test_a_key_that_readers_disagree_about_is_refused(tmp_path: Path, name: str) -> None:
    found = problems(tmp_path, GOOD + f"  ai-datacenter:tags: {{{name}: x}}\n")
    assert [(problem.line, problem.column) for problem in found] == [(13, 24)]


@pytest.mark.parametrize(
    "text", ["a: &a [*a]\n", "a: " + "[" * 3000, GOOD + "\x00", GOOD + "  ? [a]\n  : b\n", GOOD + "  a: &a {<<: *a}\n"]
)
def test_yaml_that_is_no_configuration_ends_in_no_traceback(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, text)


def test_one_key_in_two_spellings_is_refused(tmp_path: Path) -> None:
    assert "keep one" in only(tmp_path, "ai-datacenter:name", "name: other\n  ai-datacenter:name").message
