"""The box of toy_md.py with copyback, as md does it (drivers/md/raid5.c), and with spares that are read."""

from dataclasses import dataclass, field, replace

from raid.actions import Action, PollSpare
from raid.world import Running, SpareRead, World
from tests.stories.toy_array import STRIPES, Drive, Md, Part
from tests.stories.toy_md import Box, Refused


@dataclass
class SpareBox(Box):
    """replacing: members onto which a copy runs; each shares its slot with the one it goes from."""

    replacing: list[Part] = field(default_factory=list)
    reads: dict[int, SpareRead] = field(default_factory=dict)

    def source(self, md: Md, part: Part) -> Part | None:
        """The member that a copy goes from."""
        same = (p for p in md.parts if p is not part and p.slot == part.slot and not p.faulty and p.in_sync)
        return next(same, None)

    def sync(self) -> None:
        super().sync()
        for md in self.arrays:
            for part in [part for part in self.replacing if part in md.parts and part.in_sync]:
                old = self.source(md, part)
                self.replacing.remove(part)
                if old is not None:
                    old.faulty, old.in_sync, old.slot = True, False, None
                self._note(md)

    def world(self) -> World:
        here = {drive.diskseq for drive in self.drives if drive.bay is not None}
        reads = tuple(read for seq, read in self.reads.items() if seq in here)
        return replace(super().world(), spare_reads=reads)

    def act(self, action: Action) -> None:
        if isinstance(action, PollSpare):
            self.reads[action.diskseq] = SpareRead(action.diskseq, self.now)
        else:
            super().act(action)

    def cut_power(self) -> None:
        super().cut_power()
        self.replacing, self.reads = [], {}

    def _running(self, md: Md) -> Running:
        running = super()._running(md)
        members = list(running.md.members)
        for number, part in enumerate(md.parts):
            if part in self.replacing and not part.faulty:
                members[number] = replace(members[number], states=frozenset({"replacement", "spare"}))
        return replace(running, md=replace(running.md, members=tuple(members)))

    def _step(self, argv: tuple[str, ...]) -> None:
        match argv:
            case ("mdadm", _, "--replace", old, "--with", new):
                self._replace(self._device(old), self._device(new))
            case ("mdadm", "--zero-superblock", device):
                super()._step(argv)
                self.known.pop(self._device(device).diskseq, None)  # the kernel's event after a write
            case _:
                super()._step(argv)

    def _replace(self, old: Drive, new: Drive) -> None:
        if not self.arrays or self.arrays[0].broken:
            raise Refused("cannot replace")
        md = self.arrays[0]
        source = next((p for p in md.parts if p.drive is old and p.in_sync and not p.faulty), None)
        target = next((p for p in md.parts if p.drive is new and p.slot is None and not p.faulty), None)
        if source is None or target is None or any(p.slot == source.slot and p in self.replacing for p in md.parts):
            raise Refused("cannot replace")
        target.slot, md.todo = source.slot, list(range(STRIPES))
        self.replacing.append(target)
        self._note(md)

    def _fault(self, md: Md, part: Part) -> None:
        orphan = next((p for p in self.replacing if p is not part and p in md.parts and p.slot == part.slot), None)
        super()._fault(md, part)
        if part in self.replacing:
            self.replacing.remove(part)
        elif orphan is not None:  # the copy goes on as a rebuild in the place of the dead source
            self.replacing.remove(orphan)
            md.todo = list(range(STRIPES))
            self._note(md)

    def _note(self, md: Md) -> None:
        super()._note(md)
        for part in self.replacing:
            if part in md.parts and part.drive.superblock is not None and not part.faulty:
                part.drive.superblock = replace(part.drive.superblock, replacement=True)

    def _assemble(self, drives: list[Drive], *, force: bool) -> None:
        super()._assemble(drives, force=force)
        for md in self.arrays:
            self.replacing = [p for p in md.parts if not p.in_sync and self.source(md, p) is not None]
            self._note(md)
