"""The version as people see it: `V0.1.0`, and `V0.1.0R` in Failover Mode (spec/boot.md, "Modes")."""

from importlib import metadata

from boot.model import Mode


def version_text(mode: Mode) -> str:
    """Computed from the installed version and the mode, never stored."""
    try:
        number = metadata.version("rackeye")
    except metadata.PackageNotFoundError:
        number = "?"
    return f"V{number}{'R' if mode is Mode.FAILOVER else ''}"
