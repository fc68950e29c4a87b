from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel
from train.__main__ import with_preset
from train.config.failure import Failure
from train.config.job import load
from train.config.settings import ModelConfig, TrainConfig

from components import node_verification_pod
from components.accelerators import CATALOGUE
from components.settings import SmokeTestConfig
from components.smoke_test_pod import Buckets, train_config

TWO = {"JAX_NUM_PROCESSES": "2", "JOB_COMPLETION_INDEX": "1", "JAX_COORDINATOR_ADDRESS": "127.0.0.1:5000"}


def test_an_empty_environment_is_a_job_of_one_process() -> None:
    job = load({})
    assert (job.processes, job.index, job.name, job.config) == (1, 0, "train", TrainConfig())


def test_a_pod_of_an_indexed_job_knows_its_place() -> None:
    job = load({**TWO, "NODE_NAME": "cpu-2", "JOB_NAME": "smoke"})
    assert (job.processes, job.index, job.coordinator, job.node, job.name) == (
        2,
        1,
        "127.0.0.1:5000",
        "cpu-2",
        "smoke",
    )
    assert not job.first


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"TRAIN_CONFIG": "{steps: 3}"}, "TRAIN_CONFIG is not usable: Invalid JSON"),
        ({"TRAIN_CONFIG": '{"steps": 0}'}, "TRAIN_CONFIG is not usable: steps: Input should be greater than 0"),
        (
            {"TRAIN_CONFIG": '{"epochs": 3}'},
            "TRAIN_CONFIG is not usable: epochs is unknown (known: preset, job, model, steps",
        ),
        ({"TRAIN_CONFIG": '{"model": {"depth": 3}}'}, "model.depth is unknown (known: architecture, layers, width"),
        ({"TRAIN_CONFIG": '{"setps": 3}'}, 'TRAIN_CONFIG is not usable: setps is unknown (did you mean "steps"?)'),
        ({"TRAIN_CONFIG": '{"model": {"vocab": 300}}'}, 'model.vocab is unknown (did you mean "vocabulary"?)'),
        ({"TRAIN_CONFIG": "/etc/train.json"}, "line 1 column 1: TRAIN_CONFIG is JSON text, not a file"),
        ({"TRAIN_CONFIG": "train.json"}, ": TRAIN_CONFIG is JSON text, not a file"),
        ({"TRAIN_CONFIG": '{"model": {"width": 65}}'}, "width 65 must be a multiple of 2 × heads (8)"),
        ({"TRAIN_CONFIG": '{"model": {"kv_heads": 3}}'}, "heads 4 must be a multiple of kv_heads 3"),
        ({"TRAIN_CONFIG": '{"tensor": 3}'}, "tensor 3 must divide the model's 4 heads of keys"),
        ({"TRAIN_CONFIG": '{"preset": []}'}, "preset: Input should be 'small', '124m' or '1b'"),
        ({"TRAIN_CONFIG": '{"preset": "7b"}'}, "preset: Input should be 'small', '124m' or '1b'"),
        ({"TRAIN_CONFIG": '{"preset": "1b", "model": 3}'}, "TRAIN_CONFIG is not usable: model"),
        ({"ACCELERATOR": '{"chips": -1}'}, "ACCELERATOR is not usable: chips"),
        ({**TWO, "JAX_NUM_PROCESSES": "two"}, "JAX_NUM_PROCESSES must be a whole number, not 'two'"),
        ({**TWO, "JAX_NUM_PROCESSES": "0"}, "JAX_NUM_PROCESSES must be at least 1"),
        ({**TWO, "JOB_COMPLETION_INDEX": ""}, "JOB_COMPLETION_INDEX is missing"),
        ({**TWO, "JOB_COMPLETION_INDEX": "2"}, "JOB_COMPLETION_INDEX 2 is not below JAX_NUM_PROCESSES 2"),
        ({**TWO, "JAX_COORDINATOR_ADDRESS": ""}, "JAX_COORDINATOR_ADDRESS is missing"),
        ({**TWO, "JAX_COORDINATOR_ADDRESS": "train-0"}, "JAX_COORDINATOR_ADDRESS must be host:port, not 'train-0'"),
    ],
)
def test_a_mistake_is_named_with_its_variable(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(Failure) as failure:
        load(environment)
    assert sentence in str(failure.value)
    assert "\n" not in str(failure.value)


def test_json_with_a_path_in_it_is_not_taken_for_a_file() -> None:
    with pytest.raises(Failure) as failure:
        load({"TRAIN_CONFIG": '{"checkpoint_uri": "/tmp/run"'})
    assert "not a file" not in str(failure.value)


def test_a_wrong_value_is_not_repeated_for_it_may_be_a_secret() -> None:
    with pytest.raises(Failure) as failure:
        load({"TRAIN_CONFIG": '{"seed": "canary"}'})
    assert "canary" not in str(failure.value)


@pytest.mark.parametrize(
    ("field", "value", "kind"),
    [
        ("steps", "true", "integer"),
        ("steps", "5.0", "integer"),
        ("batch_size", '"8"', "integer"),
        ("learning_rate", '"0.1"', "number"),
        ("resume", '"no"', "boolean"),
        ("resume", "0", "boolean"),
        ("job", "3", "string"),
        ("model.layers", '"3"', "integer"),
    ],
)
@pytest.mark.parametrize("preset", ["small", "1b"])
def test_a_value_of_another_kind_is_not_taken_for_what_it_may_mean(
    field: str, value: str, kind: str, preset: str
) -> None:
    *outer, name = field.split(".")
    given = f'{{"{name}": {value}}}' if not outer else f'{{"model": {{"{name}": {value}}}}}'
    with pytest.raises(Failure) as failure:
        load({"TRAIN_CONFIG": f'{{"preset": "{preset}", {given[1:]}'})
    assert str(failure.value) == f"TRAIN_CONFIG is not usable: {field}: Input should be a valid {kind}"


def test_a_whole_number_is_a_number_too() -> None:
    config = load({"TRAIN_CONFIG": '{"learning_rate": 1, "weight_decay": 0, "step_timeout_s": 60}'}).config
    assert (config.learning_rate, config.weight_decay, config.step_timeout_s) == (1.0, 0.0, 60.0)


@pytest.mark.parametrize("test", [{}, {"steps": 7, "seed": 3, "timeout_s": 3601, "tolerated_percent": 7}])
def test_what_a_stack_tells_its_jobs_is_of_the_kinds_that_they_take(test: dict[str, Any]) -> None:
    told = train_config(SmokeTestConfig(pool="cpu", **test), "job", Buckets("checkpoints", "data"))
    assert load({"TRAIN_CONFIG": json.dumps(told)}).config.startup_timeout_s == told["startup_timeout_s"]
    assert load({"TRAIN_CONFIG": json.dumps(node_verification_pod._CHECKS)}).config.checks == "strict"


@pytest.mark.parametrize("name", sorted(CATALOGUE))
def test_every_row_of_the_catalogue_says_how_many_devices_a_node_has(name: str) -> None:
    job = load({"ACCELERATOR": json.dumps(CATALOGUE[name].row())})
    assert job.accelerator.instance_type == name
    assert job.devices_per_process == max(1, CATALOGUE[name].devices)


def test_a_preset_is_where_values_come_from_that_are_not_given() -> None:
    config = load({"TRAIN_CONFIG": '{"preset": "1b", "steps": 3, "model": {"layers": 2}}'}).config
    assert (config.steps, config.model.layers, config.model.kv_heads, config.accumulate) == (3, 2, 4, 8)


def test_the_command_line_s_preset_is_beneath_what_the_environment_says() -> None:
    def preset(text: str, name: str) -> str:
        return load(with_preset({"TRAIN_CONFIG": text}, name)).config.preset

    assert [preset(text, "124m") for text in ("", '{"steps": 3}', '{"preset": "1b"}')] == ["124m", "124m", "1b"]
    assert with_preset({"TRAIN_CONFIG": "{"}, "1b") == {"TRAIN_CONFIG": "{"}
    assert with_preset({"TRAIN_CONFIG": "[]"}, "1b") == {"TRAIN_CONFIG": "[]"}


OF_TRAINING = {"model", "learning_rate", "warmup_steps", "weight_decay", "clip_norm", "spike_nats", "seed", "steps"}
OF_MODEL = set(ModelConfig.model_fields) - {"attention", "remat"}  # which change how it is computed, not what


def another(value: Any) -> Any:
    """A value of the same kind."""
    if isinstance(value, ModelConfig):
        return ModelConfig(layers=3)
    if isinstance(value, str):
        return {"llama": "gpt2"}.get(value, "another")
    return 1 if value is None else value + 1


def changed(config: BaseModel, field: str) -> Any:
    return config.model_copy(update={field: another(getattr(config, field))})


@pytest.mark.parametrize("field", TrainConfig.model_fields)
def test_only_what_changes_the_training_changes_its_digest(field: str) -> None:
    """Batch and corpus count as what they come to: rows, and a digest."""
    differs = changed(TrainConfig(), field).training_digest("text", 16) != TrainConfig().training_digest("text", 16)
    assert differs == (field in OF_TRAINING)


@pytest.mark.parametrize("field", ModelConfig.model_fields)
def test_only_what_a_model_computes_changes_the_digest_of_its_training(field: str) -> None:
    other = TrainConfig().model_copy(update={"model": changed(ModelConfig(), field)})
    assert (other.training_digest("text", 16) != TrainConfig().training_digest("text", 16)) == (field in OF_MODEL)


def test_another_text_or_number_of_rows_is_another_training() -> None:
    digest = TrainConfig().training_digest("text", 16)
    assert digest not in (TrainConfig().training_digest("other", 16), TrainConfig().training_digest("text", 32))
