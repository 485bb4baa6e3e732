"""Fragmented MP4 (ISO/IEC 14496-12, 14496-15): what is written, as bytes.

A file is ftyp, moov, then one moof + mdat a group of pictures. Nothing in it points forward, so a file that is cut off
anywhere plays up to its last whole fragment.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from nvr.cameras.h264 import ParameterSets, picture_size

TIMESCALE = 90_000
TRACK = 1
# sample flags (8.8.3.1): depends on no other / on others, is no sync sample
KEY_FLAGS, OTHER_FLAGS = 0x0200_0000, 0x0101_0000
MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture in decoding order. time: ticks since the file's beginning at which it is shown."""

    time: int
    size: int
    key: bool


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box: length, type, contents."""
    return struct.pack(">I4s", 8 + sum(map(len, parts)), kind) + b"".join(parts)


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A box with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def beginning(parameters: ParameterSets) -> bytes:
    """ftyp and moov of a file for one H.264 stream. Raises BadStream when the picture's size cannot be read."""
    size = picture_size(parameters.sps[0])
    kind = box(b"ftyp", b"iso6", struct.pack(">I", 1), b"iso6", b"mp41", b"avc1")
    movie_header = full_box(
        b"mvhd", 0, 0, struct.pack(">5IHxx8x", 0, 0, TIMESCALE, 0, 0x10000, 0x0100), MATRIX, bytes(24),
        struct.pack(">I", TRACK + 1),
    )  # fmt: skip
    track_header = full_box(
        b"tkhd", 0, 7, struct.pack(">5I8xhhhxx", 0, 0, TRACK, 0, 0, 0, 0, 0), MATRIX,
        struct.pack(">2I", size.width << 16, size.height << 16),
    )  # fmt: skip
    media = box(
        b"mdia",
        full_box(b"mdhd", 0, 0, struct.pack(">4IHH", 0, 0, TIMESCALE, 0, 0x55C4, 0)),  # 0x55C4: "und"
        full_box(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, b"vide"), b"Rackeye\0"),
        box(
            b"minf",
            full_box(b"vmhd", 0, 1, bytes(8)),
            box(b"dinf", full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1))),
            _sample_tables(parameters, size.width, size.height),
        ),
    )
    extends = box(b"mvex", full_box(b"trex", 0, 0, struct.pack(">5I", TRACK, 1, 0, 0, 0)))
    return kind + box(b"moov", movie_header, box(b"trak", track_header, media), extends)


def _sample_tables(parameters: ParameterSets, width: int, height: int) -> bytes:
    entry = box(
        b"avc1",
        struct.pack(">6xH16xHHIIIH32sHh", 1, width, height, 0x480000, 0x480000, 0, 1, b"", 24, -1),
        box(b"avcC", decoder_configuration(parameters)),
    )
    nothing = struct.pack(">I", 0)
    return box(
        b"stbl",
        full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry),
        full_box(b"stts", 0, 0, nothing),
        full_box(b"stsc", 0, 0, nothing),
        full_box(b"stsz", 0, 0, nothing, nothing),
        full_box(b"stco", 0, 0, nothing),
    )


def codec(parameters: ParameterSets) -> str:
    """The stream as browsers are asked about it (RFC 6381), such as avc1.4d401e."""
    return f"avc1.{parameters.sps[0][1:4].hex()}"


def decoder_configuration(parameters: ParameterSets) -> bytes:
    """AVCDecoderConfigurationRecord (14496-15, 5.3.3.1) with 4-byte NAL unit lengths.

    The fields that High profile adds are left out, as most muxers do; decoders read them from the parameter sets.
    """
    first = parameters.sps[0]
    parts = [bytes((1, first[1], first[2], first[3], 0xFC | 3, 0xE0 | len(parameters.sps)))]
    parts += [struct.pack(">H", len(nal)) + nal for nal in parameters.sps]
    parts.append(bytes((len(parameters.pps),)))
    parts += [struct.pack(">H", len(nal)) + nal for nal in parameters.pps]
    return b"".join(parts)


def fragment_head(number: int, samples: Sequence[Sample], end: int) -> bytes:
    """moof and the beginning of its mdat; the samples' data follow right behind it.

    number: of the fragment in its file, from 1. end: when the last shown picture ends, in ticks of the file.
    Pictures that are shown in another order than they are decoded (B frames) get composition offsets.
    """
    shown = [sample.time for sample in samples]
    decoded = sorted(shown)
    reordered = decoded != shown
    following = [*decoded[1:], end]
    rows: list[int] = []
    for sample, at, then in zip(samples, decoded, following, strict=True):
        rows += (max(0, then - at), sample.size, KEY_FLAGS if sample.key else OTHER_FLAGS)
        if reordered:
            rows.append((sample.time - at) & 0xFFFFFFFF)  # signed in version 1
    return movie_fragment(number, decoded[0], rows, sum(sample.size for sample in samples), reordered=reordered)


def movie_fragment(number: int, start: int, rows: Sequence[int], data_size: int, *, reordered: bool) -> bytes:
    """moof and the beginning of its mdat. start: decoding time of the first sample, in ticks.

    rows: of each sample its duration, size, flags and, when reordered, its composition offset.
    """
    run_flags = 0x000001 | 0x000100 | 0x000200 | 0x000400 | (0x000800 if reordered else 0)
    run_size = 20 + 4 * len(rows)
    moof_size = 8 + 16 + 8 + 16 + 20 + run_size
    return struct.pack(
        f">I4s I4sII I4s I4sII I4sIQ I4sIII{len(rows)}I I4s",
        moof_size, b"moof",
        16, b"mfhd", 0, number,
        moof_size - 24, b"traf",
        16, b"tfhd", 0x020000, TRACK,  # default-base-is-moof
        20, b"tfdt", 1 << 24, start,
        run_size, b"trun", 1 << 24 | run_flags, len(rows) // (4 if reordered else 3), moof_size + 8, *rows,
        8 + data_size, b"mdat",
    )  # fmt: skip
