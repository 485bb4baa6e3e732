"""The commands about S.M.A.R.T. of org.rackeye.Raid1.Admin: read a drive now, and what it said before."""

import asyncio
from typing import Any

from core.bus import Command
from core.daemon import Daemon
from core.errors import NoSuchDrive
from raid.actions import Action
from raid.memory import Memory
from raid.model import Done
from raid.smart_history import KEPT, History
from raid.smart_keeper import SmartKeeper
from raid.smart_model import ReadSmartRequest, SmartHistory, SmartHistoryRequest
from raid.world import World


class SmartService:
    """Handlers; they run in the daemon's loop."""

    def __init__(self, daemon: Daemon[World, Memory, Action], keeper: SmartKeeper, history: History) -> None:
        self._daemon = daemon
        self._keeper = keeper
        self._history = history

    def commands(self) -> tuple[Command[Any, Any], ...]:
        """All of them."""
        return (
            Command("ReadSmart", ReadSmartRequest, Done, self.read),
            Command("SmartHistory", SmartHistoryRequest, SmartHistory, self.history),
        )

    async def read(self, request: ReadSmartRequest) -> Done:
        """Returns at once: a drive may take its time."""
        world = self._daemon.snapshot
        here = [] if world is None else [disk for disk in world.disks if disk.bay == request.bay]
        if not any(map(self._keeper.ask_soon, [disk.name for disk in here])):
            raise NoSuchDrive(f"Bay {request.bay} holds no drive.", hint="rackeye drive shows them.")
        return Done(f"The drive in bay {request.bay} is being asked.")

    async def history(self, request: SmartHistoryRequest) -> SmartHistory:
        limit = max(1, min(request.limit, KEPT))
        return await asyncio.to_thread(self._history.of, request.serial, limit)
