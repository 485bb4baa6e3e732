"""Where things lie on an appliance, under an injectable root."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Paths:
    """The places of Rackeye; tests give another root."""

    root: Path = Path("/")

    @property
    def share(self) -> Path:
        """Shipped settings."""
        return self.root / "usr/share/rackeye"

    @property
    def etc(self) -> Path:
        """The person's settings."""
        return self.root / "etc/rackeye"

    @property
    def state(self) -> Path:
        """What must outlive a restart."""
        return self.root / "var/lib/rackeye"

    @property
    def run(self) -> Path:
        """What ends with the power."""
        return self.root / "run/rackeye"

    @property
    def volumes(self) -> Path:
        """Recording volumes are mounted right under it."""
        return self.root / "srv/rackeye"

    @property
    def sys(self) -> Path:
        return self.root / "sys"

    @property
    def proc(self) -> Path:
        return self.root / "proc"

    @property
    def dev(self) -> Path:
        return self.root / "dev"
