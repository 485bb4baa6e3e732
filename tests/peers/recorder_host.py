"""The recorder's cycle without the bus, on volumes under a root of the test's own; used by the loopback tests."""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from core.clock import SystemClock
from core.config import write_atomic
from core.errors import RackeyeError
from core.paths import Paths
from nvr.recorder.engine import Recorder, load_memory
from nvr.recorder.model import CameraView, RecorderSnapshot, VolumeView


class FakeMounts:
    """mountinfo as a plain file: "mounts" directories of the test as volumes. Their device numbers are the real ones,
    that of `/` is another."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.points: dict[str, int] = {}
        self._next = 30
        (paths.proc / "self").mkdir(parents=True)
        paths.volumes.mkdir(parents=True)
        self.write()

    def mount(self, name: str) -> Path:
        point = self.paths.volumes / name
        point.mkdir(exist_ok=True)
        identity = {"volume": name, "vd_uuid": f"uuid-{name}", "created": 0}
        (point / "rackeye-volume.json").write_text(json.dumps(identity))
        self._next += 1
        self.points[name] = self._next
        self.write()
        return point

    def unmount(self, name: str) -> None:
        del self.points[name]
        self.write()

    def write(self) -> None:
        device = self.paths.volumes.stat().st_dev
        lines = ["1 0 999:9 / / rw,relatime - ext4 /dev/system rw"]
        for name, number in self.points.items():
            where = self.paths.volumes / name
            lines.append(f"{number} 1 {os.major(device)}:{os.minor(device)} / {where} rw - xfs /dev/md/{name} rw")
        write_atomic(self.paths.proc / "self/mountinfo", ("\n".join(lines) + "\n").encode())


class Host:
    """Runs observe, decide, act as core.daemon does, woken by the recorder."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.recorder = Recorder(paths, SystemClock())
        self.memory = load_memory(paths)
        self.said: list[str] = []
        self.view = RecorderSnapshot()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._loop.call_soon_threadsafe(self._woken.set)

    async def __aenter__(self) -> "Host":
        self._loop = asyncio.get_running_loop()
        self._tasks = [asyncio.create_task(self.recorder.live(self.wake)), asyncio.create_task(self._cycle())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in reversed(self._tasks):
            task.cancel()
            await asyncio.wait((task,))
        self.recorder.index.close()

    async def _cycle(self) -> None:
        while True:
            self._woken.clear()
            snapshot = await asyncio.to_thread(self.recorder.observe)
            decision = self.recorder.decide(snapshot, self.memory, self.recorder.clock.now())
            self.memory = decision.memory
            self.recorder.save(self.memory)
            problems = []
            for action in decision.actions:
                try:
                    self.said.append(await asyncio.to_thread(self.recorder.act, action))
                except RackeyeError as error:
                    problems.append(error.sentence)
                    self.said.append(error.sentence)
            self.view = self.recorder.show(snapshot, self.memory, tuple(problems))
            try:
                pause = 0.05 if decision.actions else min(decision.again or 0.5, 0.5)
                await asyncio.wait_for(self._woken.wait(), pause)
            except TimeoutError:
                pass

    async def until(self, what: Callable[[RecorderSnapshot], bool], seconds: float = 15.0) -> RecorderSnapshot:
        """Waits until the view shows something. Raises AssertionError with the view when it does not."""
        end = self._loop.time() + seconds
        while not what(self.view):
            assert self._loop.time() < end, f"not in {seconds} s: {self.view}\n" + "\n".join(self.said)
            await asyncio.sleep(0.05)
        return self.view

    def camera(self, name: str) -> CameraView:
        return next(camera for camera in self.view.cameras if camera.name == name)

    def volume(self, name: str) -> VolumeView:
        return next(volume for volume in self.view.volumes if volume.name == name)


async def _until_killed(root: Path) -> None:
    async with Host(Paths(root)):
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    asyncio.run(_until_killed(Path(sys.argv[1])))
