"""H.264 (ITU-T H.264, 7.3): NAL unit types, and the picture's size out of a sequence parameter set."""

from dataclasses import dataclass

from core.errors import BadStream

SLICE, IDR, SEI, SPS, PPS, DELIMITER, FILLER = 1, 5, 6, 7, 8, 9, 12
SLICES = frozenset({1, 2, 5})  # 2: data partition A, with which a picture begins as well
WITH_CHROMA = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
MAX_SIDE = 16384


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """What a decoder must have before the first key frame."""

    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class PictureSize:
    """Of the picture as shown, after cropping."""

    width: int
    height: int


class BitReader:
    """Bits of a raw byte sequence payload, most significant first. Raises BadStream at its end."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8

    def bits(self, count: int) -> int:
        """An unsigned number of `count` bits: u(n)."""
        self._left -= count
        if self._left < 0:
            raise BadStream("The camera's sequence parameter set is cut off.")
        return (self._value >> self._left) & ((1 << count) - 1)

    def unsigned(self) -> int:
        """An Exp-Golomb number: ue(v)."""
        zeros = 0
        while not self.bits(1):
            zeros += 1
            if zeros > 32:
                raise BadStream("The camera's sequence parameter set is spoilt.")
        return (1 << zeros) - 1 + self.bits(zeros)

    def signed(self) -> int:
        """A signed Exp-Golomb number: se(v)."""
        code = self.unsigned()
        return (code + 1) // 2 if code & 1 else -(code // 2)


def payload(nal: bytes) -> bytes:
    """A NAL unit without its header and emulation prevention bytes."""
    return nal[1:].replace(b"\x00\x00\x03", b"\x00\x00")


def set_id(nal: bytes) -> int:
    """The number of a picture parameter set, or of a sequence parameter set. Raises BadStream."""
    reader = BitReader(payload(nal[:16]))
    if nal[0] & 0x1F == SPS:
        reader.bits(24)
    return reader.unsigned()


def picture_size(sps: bytes) -> PictureSize:
    """Width and height out of a sequence parameter set (7.3.2.1.1, 7.4.2.1.1). Raises BadStream."""
    reader = BitReader(payload(sps))
    profile = reader.bits(8)
    reader.bits(16)  # constraint flags and level
    reader.unsigned()  # seq_parameter_set_id
    chroma = _chroma(reader) if profile in WITH_CHROMA else 1
    reader.unsigned()  # log2_max_frame_num_minus4
    _skip_order_count(reader)
    reader.unsigned()  # max_num_ref_frames
    reader.bits(1)  # gaps_in_frame_num_value_allowed_flag
    width = (reader.unsigned() + 1) * 16
    map_units = reader.unsigned() + 1
    frames_only = reader.bits(1)
    if not frames_only:
        reader.bits(1)  # mb_adaptive_frame_field_flag
    reader.bits(1)  # direct_8x8_inference_flag
    height = map_units * 16 * (2 - frames_only)
    if reader.bits(1):
        left, right, top, bottom = (reader.unsigned() for _ in range(4))
        width -= (left + right) * (2 if chroma in (1, 2) else 1)
        height -= (top + bottom) * (2 if chroma == 1 else 1) * (2 - frames_only)
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise BadStream(f"The camera's sequence parameter set says {width}x{height} pixels.")
    return PictureSize(width, height)


def _chroma(reader: BitReader) -> int:
    """chroma_format_idc as ChromaArrayType; leaves the reader behind the scaling lists."""
    chroma = reader.unsigned()
    separate = reader.bits(1) if chroma == 3 else 0
    reader.unsigned()  # bit_depth_luma_minus8
    reader.unsigned()  # bit_depth_chroma_minus8
    reader.bits(1)  # qpprime_y_zero_transform_bypass_flag
    if reader.bits(1):
        for number in range(12 if chroma == 3 else 8):
            if reader.bits(1):
                _skip_scaling_list(reader, 16 if number < 6 else 64)
    return 0 if separate else chroma


def _skip_scaling_list(reader: BitReader, size: int) -> None:
    last, following = 8, 8
    for _ in range(size):
        if following:
            following = (last + reader.signed()) % 256
        last = following or last


def _skip_order_count(reader: BitReader) -> None:
    match reader.unsigned():
        case 0:
            reader.unsigned()
        case 1:
            reader.bits(1)
            reader.signed()
            reader.signed()
            for _ in range(reader.unsigned() & 0xFF):
                reader.signed()
        case _:
            pass
