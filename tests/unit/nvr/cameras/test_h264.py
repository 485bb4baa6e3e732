"""Picture sizes of real parameter sets (x264 by ffmpeg 5.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadStream
from nvr.cameras.h264 import PictureSize, picture_size, set_id


@pytest.mark.parametrize(
    ("sps", "width", "height"),
    [
        ("67640028acd940780227e5c044000003000400000300283c60c658", 1920, 1080),
        ("674d4016eca05017fcb808800000030080000005078b16cb", 640, 360),
        ("6742c01fd9005005bb0110000003001000000300a0f1832480", 1280, 720),
        ("67f4000c919b282a10f1f1f808800000030080000005078a14cb", 322, 242),  # 4:4:4
        ("677a002abcd940790227889f0110000003001000000300a0f1831960", 1922, 1082),  # 4:2:2
        ("6764001eacd940b424d8088000000300800000190f8a14cb", 720, 576),  # interlaced
    ],
)
def test_size(sps: str, width: int, height: int) -> None:
    assert picture_size(bytes.fromhex(sps)) == PictureSize(width, height)
    assert set_id(bytes.fromhex(sps)) == 0


def test_cut_off() -> None:
    with pytest.raises(BadStream):
        picture_size(bytes.fromhex("67640028ac"))


@given(st.binary(min_size=1, max_size=64))
def test_any_bytes_end_in_a_size_or_an_error(data: bytes) -> None:
    try:
        size = picture_size(b"\x67" + data)
    except BadStream:
        return
    assert 0 < size.width <= 16384
    assert 0 < size.height <= 16384
