"""TOML files to frozen dataclasses; a wrong key or type names file, line, path and what was expected.

Settings come in layers, each over the one before: /usr/share/rackeye/rackeye.toml (shipped),
/etc/rackeye/rackeye.toml (the person's), /var/lib/rackeye/settings.toml (what the console and the command line set).
"""

import contextlib
import dataclasses
import enum
import os
import re
import shutil
import tempfile
import tomllib
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import tomli_w

from core.errors import BadToml, BadValue, ConfigError, MissingKey, UnknownKey, Unreadable, Unwritable, WrongType
from core.paths import Paths

T = TypeVar("T")
Table = dict[str, Any]

OWNER = "rackeye"
"""The user that the settings file belongs to."""

TYPE_NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


@dataclass(frozen=True, slots=True)
class Source:
    """Where a table was read: the file, and its text for line numbers."""

    file: Path
    text: str = ""

    def place(self, path: str) -> str:
        """`file:line`, the line being the first that sets the last key of `path`; without a line when not found."""
        outer, _, inner = path.rpartition(".")
        key, table = (re.escape(part.partition("[")[0]) for part in (inner, outer))
        lines = self.text.splitlines()
        start = next((i for i, line in enumerate(lines) if table and re.match(rf"\s*\[+\s*{table}\s*\]+", line)), 0)
        for pattern in (rf"\s*[\"']?{key}[\"']?\s*=", rf"\s*\[+.*\b{key}\s*\]+", rf".*\b{key}\s*="):
            for number in range(start, len(lines)):
                if re.match(pattern, lines[number]):
                    return f"{self.file}:{number + 1}"
        return str(self.file)


def read_toml(file: Path) -> tuple[Table, Source]:
    """The table of a TOML file. Raises Unreadable or BadToml (with the line)."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        hint = "Check that it exists, and its rights."
        raise Unreadable(f"{file} cannot be read: {error.strerror}.", hint=hint) from error
    except UnicodeDecodeError as error:
        raise BadToml(f"{file} is not UTF-8 text (byte {error.start}).", hint=BadToml.meaning) from error
    try:
        return tomllib.loads(text), Source(file, text)
    except tomllib.TOMLDecodeError as error:
        raise BadToml(f"{file} is not valid TOML: {error}.", hint="Mend or remove the file.") from error


def from_toml(kind: type[T], file: Path) -> T:
    """A TOML file as the frozen dataclass `kind`. Raises ConfigError."""
    table, source = read_toml(file)
    return convert(kind, table, source)


def convert(kind: type[T], table: Mapping[str, Any], source: Source | Path) -> T:
    """A table as the dataclass `kind`.

    Raises UnknownKey, WrongType, MissingKey, BadValue with file, line, path and what was expected.
    """
    where = source if isinstance(source, Source) else Source(source)
    return typing.cast("T", _dataclass(kind, table, where, ""))


def _dataclass(kind: type[Any], table: Mapping[str, Any], source: Source, path: str) -> Any:
    fields = {field.name: field for field in dataclasses.fields(kind) if field.init}
    hints = typing.get_type_hints(kind)
    for key in table:
        if key not in fields:
            full = f"{path}.{key}" if path else key
            raise UnknownKey(
                f"{source.place(full)}: unknown key `{full}`; known here: {', '.join(sorted(fields))}.",
                hint="Mend the spelling or remove the line.",
            )
    values = {}
    for name, field in fields.items():
        full = f"{path}.{name}" if path else name
        if name in table:
            values[name] = _value(hints[name], table[name], source, full)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise MissingKey(
                f"{source.place(path)}: `{full}` is missing; expected {_expected(hints[name])}.", hint="Add the key."
            )
    try:
        return kind(**values)
    except ValueError as error:  # raised by a dataclass's own __post_init__
        raise BadValue(f"{source.place(path)}: `{path or 'the file'}`: {error}", hint="Mend the value.") from error


def _value(hint: Any, value: Any, source: Source, path: str) -> Any:
    origin = typing.get_origin(hint)
    if origin in (types.UnionType, typing.Union):
        return _one_of(hint, value, source, path)
    if isinstance(value, dict) and dataclasses.is_dataclass(hint):
        return _dataclass(typing.cast("type[Any]", hint), value, source, path)
    if isinstance(value, dict) and origin is dict:
        kind = typing.get_args(hint)[1]
        return {key: _value(kind, item, source, f"{path}.{key}") for key, item in value.items()}
    if isinstance(value, list) and origin is tuple:
        return _tuple(hint, value, source, path)
    if isinstance(hint, type) and issubclass(hint, enum.Enum) and value in [item.value for item in hint]:
        return hint(value)
    if hint is float and type(value) is int:
        return float(value)
    if isinstance(hint, type) and type(value) is hint:
        return value
    raise _wrong_type(hint, value, source, path)


def _wrong_type(hint: Any, value: Any, source: Source, path: str) -> WrongType:
    said = f"{source.place(path)}: `{path}` is {value!r}; expected {_expected(hint)}."
    return WrongType(said, hint="Mend the value.")


def _one_of(hint: Any, value: Any, source: Source, path: str) -> Any:
    kinds = [kind for kind in typing.get_args(hint) if kind is not type(None)]
    if len(kinds) == 1:  # `X | None`: TOML has no null, so it must be an X, and the message can say more
        return _value(kinds[0], value, source, path)
    for kind in kinds:
        with contextlib.suppress(WrongType):
            return _value(kind, value, source, path)
    raise _wrong_type(hint, value, source, path)


def _tuple(hint: Any, value: list[Any], source: Source, path: str) -> tuple[Any, ...]:
    kinds = typing.get_args(hint)
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        kinds = (kinds[0],) * len(value)
    if len(kinds) != len(value):
        raise _wrong_type(hint, value, source, path)
    pairs = zip(kinds, value, strict=True)
    return tuple(_value(kind, item, source, f"{path}[{i}]") for i, (kind, item) in enumerate(pairs))


def _expected(hint: Any) -> str:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint in TYPE_NAMES:
        return TYPE_NAMES[hint]
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_expected(arg) for arg in args if arg is not type(None))
    if origin is tuple:
        return f"a list of {_expected(args[0])}"
    if origin is dict or dataclasses.is_dataclass(hint):
        return "a table"
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return "one of " + ", ".join(repr(item.value) for item in hint)
    return str(hint)


# -- settings in layers ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Loaded(Generic[T]):
    """Settings in force, and a sentence for each layer that could not be used."""

    settings: T
    problems: tuple[str, ...] = ()


def layers(paths: Paths) -> tuple[Path, Path, Path]:
    """The settings files, lowest first."""
    return paths.share / "rackeye.toml", paths.etc / "rackeye.toml", paths.state / "settings.toml"


def load_settings(kind: type[T], paths: Paths) -> Loaded[T]:
    """The settings of all layers as one; for a broken layer its last good copy stays in force, and that is said.

    The last good copies lie in /var/lib/rackeye/last-good and are written by whoever may write there.
    """
    merged: Table = {}
    problems: list[str] = []
    for file in layers(paths):
        copy = paths.state / "last-good" / "-".join(file.relative_to(paths.root).parts)
        try:
            merged = _with_layer(kind, merged, file, copy)
        except ConfigError as error:
            said = f"{error.sentence} The last good settings stay in force."
            try:
                merged = _merge(merged, read_toml(copy)[0])
                convert(kind, merged, copy)
            except ConfigError:
                said = f"{error.sentence} There is no good copy of it: the settings below it are in force."
            problems.append(said)
    return Loaded(convert(kind, merged, layers(paths)[0]), tuple(problems))


def _with_layer(kind: type[Any], below: Table, file: Path, copy: Path) -> Table:
    if not file.exists():
        return below
    table, source = read_toml(file)
    convert(kind, table, source)
    merged = _merge(below, table)
    convert(kind, merged, source)
    if not copy.exists() or copy.read_text() != source.text:
        with contextlib.suppress(OSError):  # a daemon that may only read leaves it to the others
            write_atomic(copy, source.text.encode())
    return merged


def _merge(below: Table, above: Table) -> Table:
    """Tables are merged by key, anything else (lists too) is replaced."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def update_settings(kind: type[Any], paths: Paths, change: Callable[[Table], None]) -> None:
    """Changes what the console and the command line set, in one atomic write; what others wrote there is kept.

    A settings file that is broken is never overwritten: ConfigError. Raises Unwritable.
    """
    file = paths.state / "settings.toml"
    table: Table = read_toml(file)[0] if file.exists() else {}
    change(table)
    convert(kind, table, file)
    try:
        write_atomic(file, tomli_w.dumps(table).encode())
        if os.geteuid() == 0:  # raidd writes here too; the recorder must be able to go on doing so
            with contextlib.suppress(LookupError):
                shutil.chown(file, OWNER, OWNER)
    except OSError as error:
        hint = f"Is the system drive full? Else: chown rackeye:rackeye {file}"
        raise Unwritable(f"{file} cannot be written: {error.strerror}.", hint=hint) from error


def write_atomic(file: Path, data: bytes, mode: int = 0o640) -> None:
    """The file holds the old or the new bytes, whatever happens to the power.

    Temp file, fsync, rename, fsync of the folder.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fchmod(out.fileno(), mode)
            os.fsync(out.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    fsync_folder(file.parent)


def fsync_folder(folder: Path) -> None:
    """What was made or renamed in a folder is there after a power cut, too."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
