"""Compiled code for P and Q through cffi: our own (raid/parity.c), or Intel's ISA-L (Debian package libisal2).

Both have the same four functions, and trust their caller: a buffer that is not aligned crashes the process, a length of
0 "is consistent", and a bad argument looks like a mismatch (facts/raid.md, "ISA-L from Python"). So every argument is
checked here first. cffi releases the GIL in each call: reading threads go on meanwhile.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cffi

OWN = str(Path(sys.prefix, "lib/librackeye_parity.so"))
"""`make setup` compiles it beside the interpreter."""
ISAL = "libisal.so.2"

_ALIGN_CHECK = 16
_ALIGN_GEN = 32
_LONGEST = 2**31 - 4096  # the length is a C int
_MOST_DATA = 255  # coefficients g^0 to g^254 are distinct

_ffi = cffi.FFI()
_ffi.cdef(
    """
    int xor_gen(int vects, int len, void **array);
    int xor_check(int vects, int len, void **array);
    int pq_gen(int vects, int len, void **array);
    int pq_check(int vects, int len, void **array);
    """
)
_POINTERS, _ADDRESSES = _ffi.typeof("void *[]"), _ffi.typeof("uintptr_t *")


class ParityLibrary:
    """The four functions, with the argument rules that the libraries do not enforce (ValueError names the broken one).

    In all of them `blocks` are equally long; for pq the last two are P and Q, before them the data in the order of Q's
    coefficients; for xor_gen the last one is written.
    """

    def __init__(self, name: str, library: str) -> None:
        """name: what people read. Raises OSError when the library is not installed."""
        self.name = name
        self._lib: Any = _ffi.dlopen(library)

    def xor_check(self, blocks: Sequence[memoryview]) -> bool:
        """True when the XOR of all blocks is zero everywhere (data and P of a RAID4/5 stripe, any order)."""
        length, array = _vector(blocks, fewest=2, align=_ALIGN_CHECK, multiple=1)
        return bool(self._lib.xor_check(len(blocks), length, array) == 0)

    def pq_check(self, blocks: Sequence[memoryview]) -> bool:
        """True when P and Q (the last two) belong to the data before them."""
        length, array = _vector(blocks, fewest=4, align=_ALIGN_CHECK, multiple=16, most=_MOST_DATA + 2)
        return bool(self._lib.pq_check(len(blocks), length, array) == 0)

    def xor_gen(self, blocks: Sequence[memoryview]) -> None:
        """Writes the XOR of all but the last block into the last."""
        length, array = _vector(blocks, fewest=3, align=_ALIGN_GEN, multiple=1, written=1)
        if self._lib.xor_gen(len(blocks), length, array) != 0:
            raise ValueError("xor_gen refused its arguments")

    def pq_gen(self, blocks: Sequence[memoryview]) -> None:
        """Writes P and Q of the data into the last two blocks."""
        length, array = _vector(blocks, fewest=4, align=_ALIGN_GEN, multiple=32, most=_MOST_DATA + 2, written=2)
        if self._lib.pq_gen(len(blocks), length, array) != 0:
            raise ValueError("pq_gen refused its arguments")


def _vector(
    blocks: Sequence[memoryview], *, fewest: int, align: int, multiple: int, most: int = 2**16, written: int = 0
) -> tuple[int, Any]:
    """The checked length and the C array of pointers; `blocks` must outlive the call that uses it."""
    if not fewest <= len(blocks) <= most:
        raise ValueError(f"{len(blocks)} blocks; {fewest} to {most} are possible")
    length = blocks[0].nbytes
    if not 0 < length <= _LONGEST or length % multiple:
        raise ValueError(f"a length of {length} bytes; a positive multiple of {multiple} up to {_LONGEST} is needed")
    if [block.nbytes for block in blocks] != [length] * len(blocks):
        lengths = ", ".join(str(block.nbytes) for block in blocks)
        raise ValueError(f"blocks of {lengths} bytes: they must be equally long")
    if written and any(block.readonly for block in blocks[-written:]):
        raise ValueError("a block that is to be written is read-only")
    # Few steps: of 0.12 ms for a stripe of eight 512 KiB chunks this took 4 us, now 2.
    array = _ffi.new(_POINTERS, list(map(_ffi.from_buffer, blocks)))
    for i, address in enumerate(_ffi.unpack(_ffi.cast(_ADDRESSES, array), len(blocks))):
        if address % align:
            raise ValueError(f"block {i} is not aligned to {align} bytes")
    return length, array
