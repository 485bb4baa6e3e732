import pytest

from hw.chips import ChipKind, refusal


@pytest.mark.parametrize(
    ("kind", "rates", "why"),
    [
        (ChipKind.TIMER, [4, 1, 0.25], None),
        (ChipKind.STATIC, [], None),
        (ChipKind.STATIC, [1], "it cannot blink; wanted: 1 Hz"),
        (ChipKind.PCA9552, [4, 1], None),
        (ChipKind.PCA9552, [1, 0.25], None),
        (ChipKind.PCA9552, [4, 1, 0.25], "it has 2 blink rates for all its LEDs; wanted: 0.25, 1, 4 Hz"),
        (ChipKind.PCA9532, [4, 1], None),
        (ChipKind.PCA9532, [0.25], "it cannot blink at 0.25 Hz: the nearest is 0.594 Hz"),
        (ChipKind.PCA9552, [100], "it cannot blink at 100 Hz: the nearest is 44 Hz"),
    ],
)
def test_what_a_chip_can_blink(kind: ChipKind, rates: list[float], why: str | None) -> None:
    assert refusal(kind, rates) == why
