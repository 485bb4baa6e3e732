"""One camera in the recorder: its recording, its session of the moment, and why the last one ended."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from core.errors import InternalError, RackeyeError
from core.journal import get_logger
from core.settings import Camera
from nvr.cameras.address import parse_address
from nvr.cameras.session import Limits, RtspSession, Shared
from nvr.recorder.decide import SessionNow, SessionPhase
from nvr.recorder.model import Gap
from nvr.recorder.recording import Recording

NO_VOLUME = "No recording volume was there."
DOWN = "The recorder was not running."
LOST = "Pictures were lost on their way from the camera, or its clock was set."
Explain = Callable[[str, Gap, str], None]
log = get_logger("rackeye-recorder")


class Station:
    """Lives in the event loop's thread; what is read from other threads is only assigned, never changed in place."""

    def __init__(
        self,
        camera: Camera,
        recording: Recording,
        shared: Shared,
        wake: Callable[[], None],
        explain: Explain = lambda *_: None,
    ) -> None:
        self.camera = camera
        self.recording = recording
        self._volume: str | None = None
        self._explain = explain
        self._reason = DOWN if recording.coverage.until is not None else ""  # of the gap that may be there now
        self.failure: RackeyeError | None = None  # stays until pictures come again
        self.session: SessionNow | None = None
        self.reconnects = 0
        self.packets_lost = 0
        self._shared = shared
        self._wake = wake
        self._task: asyncio.Task[None] | None = None
        recording.on_flow = self._flows
        recording.on_gap = self._gap

    @property
    def volume(self) -> str | None:
        """Where it is recorded."""
        return self._volume

    @volume.setter
    def volume(self, volume: str | None) -> None:
        if volume is None and self._volume is not None:
            self._reason = NO_VOLUME
        self._volume = volume

    def connect(self, camera: Camera, limits: Limits, delay: float) -> None:
        """A new session in so many seconds; the one before has ended."""
        self.camera = camera
        self.session = SessionNow(camera, SessionPhase.RUNNING, played=False)
        self._task = asyncio.get_running_loop().create_task(self._run(camera, limits, delay))

    async def disconnect(self) -> None:
        """Ends the session; no failure is told."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        self.session = self.failure = None

    async def _run(self, camera: Camera, limits: Limits, delay: float) -> None:
        await asyncio.sleep(delay)
        session: RtspSession | None = None
        try:
            address = parse_address(camera.url, camera.user, camera.password)
            session = RtspSession(address, self.recording.add, limits, self._shared)
            await session.run()
        except RackeyeError as error:
            self._failed(error)
        except Exception as error:  # as in wire.read: one camera's defect must not end the others' recording
            log.exception("A session failed through a defect", camera=camera.name)
            self._failed(InternalError(f"The session failed through a defect: {error!r}."))
        finally:
            self.recording.session_ended()
            self.packets_lost += session.packets_lost if session is not None else 0
        self.reconnects += 1
        self.session = SessionNow(camera, SessionPhase.ENDED, played=session is not None and session.playing)
        self._wake()

    def _failed(self, error: RackeyeError) -> None:
        if self.failure is None or self.failure.sentence != error.sentence:
            log.warning(f"Camera {self.camera.name}: {error.sentence}", camera=self.camera.name, code=error.code)
        self.failure = error

    def _flows(self) -> None:
        self.failure = None
        self._reason = ""
        log.info(f"Camera {self.camera.name} is recorded on {self.volume}.", camera=self.camera.name)
        self._wake()

    def _gap(self, gap: Gap) -> None:
        log.warning(
            f"Camera {self.camera.name}: {gap.seconds:.1f} s are missing in its recording.",
            camera=self.camera.name, start=f"{gap.start:.3f}", end=f"{gap.end:.3f}",
        )  # fmt: skip
        self._explain(self.camera.name, gap, self._reason or (self.failure.sentence if self.failure else LOST))
