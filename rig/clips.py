"""Short H.264 clips, encoded once and looped for ever by the test cameras.

Two cores have to carry the rack, the recorder and the cameras: nothing is encoded while a test runs.
Standard library only: the camera server runs under /usr/bin/python3, outside the virtual environment.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

START_CODE = b"\x00\x00\x01"
AUD, IDR = 9, 5
CACHE = Path(__file__).resolve().parent.parent / ".cache" / "clips"


@dataclass(frozen=True)
class ClipSpec:
    """What one clip looks like. No B-frames, so decoding order is display order."""

    name: str
    source: str
    fps: int
    gop: int
    kbit: int
    seconds: int = 8


CLIPS = (
    ClipSpec("street", "testsrc2=size=640x360:rate=25", fps=25, gop=50, kbit=600),
    ClipSpec("yard", "smptehdbars=size=1280x720:rate=15", fps=15, gop=15, kbit=800),
)


@dataclass(frozen=True)
class Clip:
    """An encoded clip, cut into access units (each starts with an access unit delimiter)."""

    spec: ClipSpec
    units: tuple[bytes, ...]

    @property
    def seconds(self) -> float:
        """Length of one round in seconds."""
        return len(self.units) / self.spec.fps


def make_clips(folder: Path = CACHE, specs: tuple[ClipSpec, ...] = CLIPS) -> None:
    """Encodes the clips that are not in `folder` yet (a few seconds, once a machine)."""
    missing = [spec for spec in specs if not clip_path(folder, spec).exists()]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        if folder == CACHE:
            (folder.parent / ".gitignore").write_text("*\n")
    for spec in missing:
        target = clip_path(folder, spec)
        part = target.with_suffix(f".{os.getpid()}.part")
        encode = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", spec.source, "-t", str(spec.seconds)]
        # noise keeps the bit rate near a real camera's; still bars alone would come to nothing
        encode += ["-vf", "noise=alls=12:allf=t,format=yuv420p", "-c:v", "libx264", "-preset", "veryfast"]
        encode += ["-profile:v", "main", "-bf", "0", "-g", str(spec.gop), "-keyint_min", str(spec.gop)]
        encode += ["-sc_threshold", "0", "-b:v", f"{spec.kbit}k", "-maxrate", f"{spec.kbit}k"]
        encode += [
            "-bufsize",
            f"{spec.kbit}k",
            "-x264-params",
            "aud=1:repeat-headers=1:slices=1",
            "-f",
            "h264",
            str(part),
        ]
        subprocess.run(encode, check=True, timeout=120)
        part.replace(target)


def clip_path(folder: Path, spec: ClipSpec) -> Path:
    """Where the encoded clip lies: the name carries what matters, so a changed spec is encoded anew."""
    return folder / f"{spec.name}-{spec.fps}fps-gop{spec.gop}-{spec.kbit}k-{spec.seconds}s.h264"


def load_clip(spec: ClipSpec, folder: Path = CACHE) -> Clip:
    """Reads a clip made by make_clips().

    Raises ValueError when the file does not begin with a key frame, FileNotFoundError when it was not made.
    """
    units = access_units(clip_path(folder, spec).read_bytes())
    if not units or not is_key(units[0]):
        raise ValueError(f"{clip_path(folder, spec)} does not begin with a key frame")
    return Clip(spec, units)


def access_units(stream: bytes) -> tuple[bytes, ...]:
    """Cuts an Annex B stream at its access unit delimiters (ITU-T H.264, 7.4.1.2.3)."""
    cuts: list[int] = []
    at = stream.find(START_CODE)
    while at >= 0:
        if stream[at + 3] & 0x1F == AUD:
            cuts.append(at - 1 if at and stream[at - 1] == 0 else at)
        at = stream.find(START_CODE, at + 3)
    return tuple(stream[start:end] for start, end in zip(cuts, [*cuts[1:], len(stream)], strict=True))


def is_key(unit: bytes) -> bool:
    """True when the access unit holds an IDR slice."""
    at = unit.find(START_CODE)
    while at >= 0:
        if unit[at + 3] & 0x1F == IDR:
            return True
        at = unit.find(START_CODE, at + 3)
    return False
