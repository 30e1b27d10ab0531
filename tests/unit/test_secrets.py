"""Secret files: made once, read back, never shown, and refused when damaged or open to others."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from putlive.adapters.vault.secrets import Secrets
from putlive.errors import SettingsError

NAMES = ["engine", "hook", "jwt", "station"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "secrets"


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {p.name: (p.read_bytes(), p.stat().st_mode) for p in folder.iterdir()}


def refusal(folder: Path) -> list[str]:
    """The lines of the refusal, after seeing that nothing was changed or made."""
    before = contents(folder)
    with pytest.raises(SettingsError) as error:
        Secrets.load(folder)
    assert contents(folder) == before
    assert error.value.exit_code == 2
    return str(error.value).splitlines()


def test_secrets_are_made_once_and_read_back(folder: Path) -> None:
    made = Secrets.load(folder)
    assert Secrets.load(folder) == made
    assert len(made.station) == 32 and [len(s) for s in made.jwt] == [32]
    assert len(made.hook) >= 32 and len(made.engine_password) >= 32
    assert sorted(contents(folder)) == NAMES
    assert len({made.station.hex(), made.jwt[0].hex(), made.hook, made.engine_password}) == 4


def test_only_their_owner_can_read_them(folder: Path) -> None:
    mask = os.umask(0)
    try:
        Secrets.load(folder).rotate_jwt()
    finally:
        os.umask(mask)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(p.stat().st_mode) for p in folder.iterdir()} == {0o600}


def test_two_stations_have_different_secrets(tmp_path: Path) -> None:
    one, two = Secrets.load(tmp_path / "one"), Secrets.load(tmp_path / "two")
    assert one.station != two.station and one.jwt != two.jwt
    assert one.hook != two.hook and one.engine_password != two.engine_password


def test_a_secret_is_never_shown(folder: Path) -> None:
    made = Secrets.load(folder)
    shown = repr(made) + str(made)
    for secret in (made.hook, made.engine_password, made.station.hex(), repr(made.station)):
        assert secret not in shown
    assert made.jwt[0].hex() not in shown and repr(made.jwt[0]) not in shown


def test_a_missing_file_is_made_and_the_others_stay(folder: Path) -> None:
    made = Secrets.load(folder)
    (folder / "hook").unlink()
    again = Secrets.load(folder)
    assert again.hook != made.hook
    assert (again.station, again.jwt) == (made.station, made.jwt)


def test_rotation_keeps_the_former_token_secret_and_no_older_one(folder: Path) -> None:
    first = Secrets.load(folder)
    second = first.rotate_jwt()
    assert second.jwt[1:] == first.jwt and second.jwt[0] != first.jwt[0]
    third = second.rotate_jwt()
    assert third.jwt[1:] == second.jwt[:1] and len(third.jwt) == 2
    assert Secrets.load(folder) == third
    assert third.station == first.station
    assert sorted(contents(folder)) == NAMES


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "damage",
    [b"", b"\n", b"short\n", b"\xff" * 64 + b"\n", b"0" * 63 + b"\n", b"a b" * 20, b"0" * 9000],
    ids=range(7),
)
def test_a_damaged_file_is_refused_with_what_to_do(folder: Path, name: str, damage: bytes) -> None:
    Secrets.load(folder)
    (folder / name).write_bytes(damage)
    if name in ("hook", "engine") and damage == b"0" * 63 + b"\n":
        assert Secrets.load(folder)
        return
    (line,) = refusal(folder)
    assert line.startswith(
        f"{folder / name}: This secret file is damaged. Restore it from a backup"
    )


def test_the_refusal_says_what_a_new_secret_would_mean(folder: Path) -> None:
    Secrets.load(folder)
    for name in NAMES:
        (folder / name).write_text("x")
    lines = refusal(folder)
    assert [line.rsplit(", and ", 1)[1] for line in lines] == [
        "every stream key gets another text.",
        "everybody has to log in again.",
        "nothing is lost.",
        "nothing is lost.",
    ]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o602])
def test_a_file_others_can_read_is_refused_with_the_command(folder: Path, mode: int) -> None:
    Secrets.load(folder)
    path = folder / "station"
    path.chmod(mode)
    assert refusal(folder) == [
        f"{path}: Others may get at the secrets here (mode {mode:o}). Run: chmod 600 '{path}'"
    ]


def test_a_folder_others_can_enter_is_refused_with_the_command(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    assert refusal(folder) == [
        f"{folder}: Others may get at the secrets here (mode 755). Run: chmod 700 '{folder}'"
    ]


def test_links_folders_and_pipes_are_no_secret_files(folder: Path) -> None:
    Secrets.load(folder)
    for name, make in (
        ("station", lambda path: path.symlink_to("jwt")),
        ("hook", lambda path: path.mkdir(mode=0o700)),
        ("engine", lambda path: os.mkfifo(path, 0o600)),
    ):
        (folder / name).unlink()
        make(folder / name)
    with pytest.raises(SettingsError) as error:
        Secrets.load(folder)
    assert [Path(p.where).name for p in error.value.problems] == ["station", "hook", "engine"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="It cannot be made: Not a directory"):
        Secrets.load(tmp_path / "file" / "secrets")


def test_a_full_disk_is_told_and_leaves_no_half_secret(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Secrets.load(folder)
    (folder / "hook").unlink()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SettingsError, match="hook: It cannot be written: No space left"):
        Secrets.load(folder)
    with pytest.raises(SettingsError, match="jwt: It cannot be written: No space left"):
        made.rotate_jwt()
    monkeypatch.undo()
    assert sorted(contents(folder)) == ["engine", "jwt", "station"]
    assert Secrets.load(folder).jwt == made.jwt


def test_processes_that_start_at_once_agree(folder: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: Secrets.load(folder), range(16)))
    assert len(set(made)) == 1
    assert sorted(contents(folder)) == NAMES
