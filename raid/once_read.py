"""Commands that choose among drives wait a moment for those that are being read, rather than send the person away."""

import asyncio
from collections.abc import Callable

from raid.scene import Scene

PATIENCE = 10.0
"""Seconds. A deletion, or a drive that came, has some read anew; one that hangs is not waited for."""
_STEP = 0.1


async def once_read(look: Callable[[], Scene], patience: float = PATIENCE) -> Scene:
    """The scene in which every drive is read; after `patience` seconds the one that there is."""
    scene, waited = look(), 0.0
    while scene.world.unread and waited < patience:
        await asyncio.sleep(_STEP)
        scene, waited = look(), waited + _STEP
    return scene
