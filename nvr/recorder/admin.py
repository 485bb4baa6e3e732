"""Commands: cameras added and removed in settings.toml, as the console and the command line do it."""

import asyncio
from collections.abc import Callable
from typing import Any

from core.bus import Command, Nothing, Sentence
from core.config import load_settings, update_settings
from core.errors import BadCamera, CameraExists, CameraUnknown
from core.paths import Paths
from core.settings import NAME, Camera, Settings
from nvr.cameras.address import parse_address
from nvr.recorder.model import AddCamera, RemoveCamera

Table = dict[str, Any]


class Admin:
    """The recorder's administration. wake: a look is due, the settings have changed."""

    def __init__(self, paths: Paths, wake: Callable[[], None]) -> None:
        self._paths = paths
        self._wake = wake
        self._one = asyncio.Lock()  # read, change, write: one command at a time

    def commands(self) -> tuple[Command[Any, Any], ...]:
        """For core.daemon."""
        return (
            Command("AddCamera", AddCamera, Sentence, self.add),
            Command("RemoveCamera", RemoveCamera, Sentence, self.remove),
            Command("Recheck", Nothing, Sentence, self.recheck),
        )

    async def add(self, request: AddCamera) -> Sentence:
        """Raises BadCamera, CameraExists, ConfigError."""
        camera = checked(request)
        async with self._one:
            await asyncio.to_thread(self._change, lambda cameras: _add(cameras, camera))
        self._wake()
        return Sentence(f"Camera {camera.name} was added and is being connected.")

    async def remove(self, request: RemoveCamera) -> Sentence:
        """Raises CameraUnknown, ConfigError."""
        async with self._one:
            await asyncio.to_thread(self._change, lambda cameras: _remove(cameras, request.name))
        self._wake()
        return Sentence(f"Camera {request.name} was removed; its recordings stay until they are recycled.")

    async def recheck(self, _: Nothing) -> Sentence:
        """Looks at mounts, settings and cameras now."""
        self._wake()
        return Sentence("The recorder looks again.")

    def _change(self, alter: Callable[[list[Table]], None]) -> None:
        in_force = load_settings(Settings, self._paths).settings.cameras

        def change(table: Table) -> None:
            # a list replaces the list of the layers below: it begins with what is in force
            cameras = table.setdefault("cameras", [_table(camera) for camera in in_force])
            alter(cameras)

        update_settings(Settings, self._paths, change)


def checked(request: AddCamera) -> Camera:
    """The camera that a request asks for. Raises BadCamera."""
    if not NAME.fullmatch(request.name):
        raise BadCamera(f"The name {request.name[:40]!r} is not allowed.", hint="1 to 32 of a-z, 0-9 and -.")
    if request.volume is not None and not NAME.fullmatch(request.volume):
        raise BadCamera(f"The volume {request.volume[:40]!r} is not allowed.", hint="`rackeye vd` lists them.")
    address = parse_address(request.url, request.user, request.password)
    return Camera(request.name, address.url, address.user, address.password, request.volume)


def _add(cameras: list[Table], camera: Camera) -> None:
    if any(table.get("name") == camera.name for table in cameras):
        raise CameraExists(f"There is a camera {camera.name} already.", hint="Remove it first, or take another name.")
    cameras.append(_table(camera))


def _remove(cameras: list[Table], name: str) -> None:
    left = [table for table in cameras if table.get("name") != name]
    if len(left) == len(cameras):
        raise CameraUnknown(f"There is no camera {name[:40]!r}.", hint=CameraUnknown.meaning)
    cameras[:] = left


def _table(camera: Camera) -> Table:
    table: Table = {"name": camera.name, "url": camera.url}
    if camera.user:
        table |= {"user": camera.user, "password": camera.password}
    if camera.volume is not None:
        table["volume"] = camera.volume
    if not camera.enabled:
        table["enabled"] = False
    return table
