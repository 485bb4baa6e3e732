"""The house keeps its own rules: linters, types, import contracts, docs, links, names (DESIGN: linters are tests)."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from core.errors import all_errors
from nvr.alarms.kinds import all_kinds

TOP = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


def lint(*argv: str) -> str:
    done = subprocess.run(argv, cwd=TOP, capture_output=True, text=True, timeout=300, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_ruff() -> None:
    assert lint(str(BIN / "ruff"), "check", "--quiet", ".") == ""


def test_types() -> None:
    assert lint(str(BIN / "mypy"), "--no-error-summary") == ""


def test_dependencies_point_one_way() -> None:
    assert lint(str(BIN / "lint-imports"), "--no-cache") == ""


def test_docs_build(tmp_path: Path) -> None:
    said = lint(str(BIN / "mkdocs"), "build", "--strict", "--quiet", "--site-dir", str(tmp_path))
    assert said == ""
    assert (tmp_path / "index.html").exists()


@pytest.mark.parametrize("page", sorted(TOP.glob("*.md")) + sorted(TOP.glob("docs/**/*.md")), ids=lambda p: p.name)
def test_no_dead_links(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text())
    dead = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert dead == []


def test_every_package_is_listed() -> None:
    listed = set(tomllib.loads((TOP / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    rooms = ("core", "raid", "hw", "boot", "nvr", "rig")
    found = {".".join(f.parent.relative_to(TOP).parts) for room in rooms for f in TOP.glob(f"{room}/**/__init__.py")}
    assert found == listed


def test_codes_are_unique_and_explained() -> None:
    codes = [error.code for error in all_errors()] + [kind.code for kind in all_kinds()]
    assert sorted(codes) == sorted(set(codes))
    assert [error for error in all_errors() if len(error.meaning) < 30] == []
    assert [kind for kind in all_kinds() if len(kind.meaning) < 30] == []


def test_files_stay_short() -> None:
    rooms = ("core", "raid", "hw", "boot", "nvr", "rig", "tests", "benchmarks")
    files = [file for room in rooms for file in TOP.glob(f"{room}/**/*.py")]
    lengths = {str(file.relative_to(TOP)): len(file.read_text().splitlines()) for file in files}
    assert {file: length for file, length in lengths.items() if length > 420} == {}


def test_the_daemons_units_and_programs_agree() -> None:
    scripts = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]["scripts"]
    units = {unit.stem for unit in (TOP / "systemd/units").glob("rackeye-*.service")}
    assert units <= set(scripts)
    for unit in (TOP / "systemd/units").glob("rackeye-*.service"):
        assert f"ExecStart=/usr/lib/rackeye/bin/{unit.stem}\n" in unit.read_text()
