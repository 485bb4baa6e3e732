"""Access units and groups of pictures for tests."""

from nvr.cameras.depacketizer import AccessUnit
from nvr.cameras.h264 import ParameterSets
from nvr.recorder.model import Gap
from nvr.recorder.recording import Fragment
from tests.unit.nvr.cameras.packets import SETS, slice_nal

FRAME = 3600  # ticks at 25 pictures a second


def unit(
    number: int, *, key: bool = False, loss: bool = False, sets: ParameterSets = SETS, size: int = 20, base: int = 0
) -> AccessUnit:
    """The picture with this number, 25 a second."""
    nal = slice_nal(size, key=key, fill=number % 200 + 1)
    return AccessUnit(base + number * FRAME, key, bytearray(len(nal).to_bytes(4, "big") + nal), sets, loss)


def stream(first: int, count: int, gop: int = 10, base: int = 0, sets: ParameterSets = SETS) -> list[AccessUnit]:
    """`count` pictures from number `first`; each `gop`-th is a key frame, the first comes after a loss."""
    numbers = range(first, first + count)
    return [unit(n, key=(n - first) % gop == 0, loss=n == first, base=base, sets=sets) for n in numbers]


class Shelf:
    """A sink that keeps what it is given; full or failing when told."""

    def __init__(self) -> None:
        self.taken: list[Fragment] = []
        self.finished = 0
        self.refuses = False
        self.lost: list[Gap] = []

    def put(self, fragment: Fragment) -> bool:
        if not self.refuses:
            self.taken.append(fragment)
        return not self.refuses

    def finish(self, camera: str) -> None:
        assert camera
        self.finished += 1

    def take_lost(self, camera: str) -> list[Gap]:
        assert camera
        lost, self.lost = self.lost, []
        return lost

    @property
    def files(self) -> list[list[Fragment]]:
        """Fragments by file."""
        files: list[list[Fragment]] = []
        for fragment in self.taken:
            if fragment.beginning:
                files.append([])
            files[-1].append(fragment)
        return files
