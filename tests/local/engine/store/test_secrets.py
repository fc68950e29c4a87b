"""The passphrase: where it comes from, what it opens, and what is said when it does not fit."""

from __future__ import annotations

import errno
import stat
from functools import cache
from pathlib import Path

import pytest

from local.engine.store import PassphraseError, SecretsManager, StateDamaged, StateUnwritable

# Made by `pulumi stack init` (CLI 3.260) with the passphrase hunter2, and a secret of that stack.
SALT_OF_THE_CLI = "v1:UmzzaN26BJs=:v1:KtD0w/RGCHEemwdc:pv34Mj3cA7HlubuRW8c09V579uB5gg=="
SECRET_OF_THE_CLI = "v1:QHiBILkjtlI3kJA6:QQwOc+E5s09VxYgZjPXunW4WfYomRCkrCuSLge/5KKeJKIMM8PefkMs="


@cache
def of_the_cli() -> SecretsManager:
    """A manager that has its key: deriving it takes 0.2 s."""
    return SecretsManager("hunter2", SALT_OF_THE_CLI)


@pytest.fixture(autouse=True)
def no_passphrase_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE", raising=False)
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE_FILE", raising=False)


def test_a_secret_of_the_cli_opens_with_its_passphrase() -> None:
    assert of_the_cli().decrypt(SECRET_OF_THE_CLI) == '{"a":["canary-ä",1,2.5]}'


@pytest.mark.usefixtures("quick_keys")
def test_a_wrong_passphrase_is_told_with_where_it_came_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "hunter3")
    manager = SecretsManager.of_environment(tmp_path / "passphrase", SecretsManager("hunter2").salt)
    with pytest.raises(PassphraseError, match="The passphrase from PULUMI_CONFIG_PASSPHRASE is not the one"):
        manager.unlock()


@pytest.mark.usefixtures("quick_keys")
def test_a_file_named_by_the_user_goes_before_our_own_and_is_read_as_the_cli_reads_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "theirs").write_text("  hunter2\n")
    (tmp_path / "ours").write_text("something else")
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", str(tmp_path / "theirs"))
    SecretsManager.of_environment(tmp_path / "ours", SecretsManager("hunter2").salt).unlock()


def test_a_named_file_that_is_not_there_is_an_error_and_not_a_new_passphrase(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE_FILE", str(tmp_path / "gone"))
    with pytest.raises(PassphraseError, match="gone, which is not there"):
        SecretsManager.of_environment(tmp_path / "ours")


@pytest.mark.usefixtures("quick_keys")
def test_the_first_secret_makes_a_passphrase_that_only_its_owner_can_read(tmp_path: Path) -> None:
    file = tmp_path / "data" / "passphrase"
    manager = SecretsManager.of_environment(file)
    assert not file.exists()
    ciphertext = manager.encrypt("x")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_text().strip()) >= 32
    assert SecretsManager.of_environment(file, manager.salt).decrypt(ciphertext) == "x"


def test_a_lost_passphrase_is_told_and_no_other_is_made(tmp_path: Path) -> None:
    manager = SecretsManager.of_environment(tmp_path / "passphrase", SALT_OF_THE_CLI)
    with pytest.raises(PassphraseError, match=r"passphrase is not there\. Set PULUMI_CONFIG_PASSPHRASE"):
        manager.unlock()
    assert not (tmp_path / "passphrase").exists()


def test_a_passphrase_that_cannot_be_kept_is_told_before_it_is_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(file: Path, text: str) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("local.engine.store.secrets.write_once", full)
    with pytest.raises(StateUnwritable, match="no space left on its disk"):
        SecretsManager.of_environment(tmp_path / "passphrase").unlock()


@pytest.mark.usefixtures("quick_keys")
def test_an_empty_passphrase_is_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "")
    manager = SecretsManager.of_environment(tmp_path / "passphrase")
    assert manager.decrypt(manager.encrypt("x")) == "x"
    assert not (tmp_path / "passphrase").exists()


@pytest.mark.parametrize("salt", ["v2:AAAA:v1:a:b", "nonsense", "v1:***:v1:a:b"])
def test_a_salt_that_is_none_is_told(salt: str) -> None:
    with pytest.raises(StateDamaged, match="encryption salt"):
        SecretsManager("x", salt).unlock()


@pytest.mark.parametrize(
    "ciphertext", ["", "v1:a", "v2:a:b", "v1:!:!", "v1:AAAA:AAAA", SECRET_OF_THE_CLI[:-6] + "AAA="]
)
def test_a_ciphertext_that_does_not_open_names_its_resource(ciphertext: str) -> None:
    with pytest.raises(StateDamaged, match="A secret of urn:a cannot be decrypted"):
        of_the_cli().decrypt(ciphertext, "urn:a")
