"""`rackeye account`: on the accounts' own file, without any daemon."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.accounts import Accounts
from core.paths import Paths
from nvr.cli import account
from nvr.cli.main import cli
from nvr.cli.session import Session

PASSWORD = "four words nobody guesses"


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.setattr(account, "PATHS", Paths(tmp_path))
    return Paths(tmp_path)


def type_in(*words: str, given: str = "") -> Result:
    return CliRunner().invoke(cli, ["account", *words], input=given, obj=Session())


def test_an_account_from_its_making_to_its_end(paths: Paths) -> None:
    assert type_in("add", "guard", "--stdin", given=PASSWORD + "\n").exit_code == 0
    assert Accounts(paths).authenticate("guard", PASSWORD, "console").must_change
    text = type_in("token", "metrics", "--account", "guard").output.strip()
    assert Accounts(paths).token(text).name == "guard"
    shown = json.loads(type_in("--json").output)
    assert [one["name"] for one in shown["accounts"]] == ["admin", "guard"]
    assert [one["name"] for one in shown["tokens"]] == ["metrics"]
    assert text not in json.dumps(shown)
    assert type_in("role", "guard", "administrator").exit_code == 0
    assert type_in("remove", "guard", given="n\n").exit_code == 1
    assert type_in("remove", "guard", "--yes").exit_code == 0
    assert [entry["what"] for entry in json.loads(type_in("log", "--json").output)["entries"]][:2] == [
        "Account guard is removed.", "Account guard is administrator now."]


def test_a_lost_password_is_set_anew(paths: Paths) -> None:
    assert type_in("password", "admin", given=f"{PASSWORD}\n{PASSWORD}\n").exit_code == 0
    assert Accounts(paths).authenticate("admin", PASSWORD, "console").must_change


def test_what_is_refused_is_said_with_its_code(paths: Paths) -> None:
    for words, given, code in (
        (("add", "guard", "--stdin"), "short\n", "ACC-004"), (("remove", "admin", "--yes"), "", "ACC-007"),
        (("password", "nobody", "--stdin"), PASSWORD + "\n", "ACC-005"),
    ):
        result = type_in(*words, given=given)
        assert (result.exit_code, code in result.output + result.stderr) == (1, True)
