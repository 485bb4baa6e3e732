from pathlib import Path

from core.clock import ManualClock
from hw.drivers.block_io import BlockIo


def stat(sys: Path, name: str, read: int, written: int) -> None:
    (sys / "block" / name).mkdir(parents=True, exist_ok=True)
    (sys / "block" / name / "stat").write_text(f"  1 0 {read} 5 2 0 {written} 9 0 7 14\n")


def test_rates_are_over_a_window_and_survive_looks_in_quick_succession(tmp_path: Path) -> None:
    clock = ManualClock()
    io = BlockIo(tmp_path, clock)
    stat(tmp_path, "sda", 1000, 1000)
    assert io.rates(["/dev/sda"]) == {"/dev/sda": 0.0}
    stat(tmp_path, "sda", 2000, 2000)
    clock.advance(0.01)
    assert io.rates(["/dev/sda"]) == {"/dev/sda": 0.0}
    clock.advance(9.99)
    assert io.rates(["/dev/sda"]) == {"/dev/sda": 102_400.0}
    clock.advance(1)
    assert io.rates(["/dev/sda"]) == {"/dev/sda": 102_400.0}
    clock.advance(9)
    assert io.rates(["/dev/sda"]) == {"/dev/sda": 0.0}


def test_another_drive_under_the_same_name_starts_at_zero_and_a_gone_one_is_left_out(tmp_path: Path) -> None:
    clock = ManualClock()
    io = BlockIo(tmp_path, clock)
    stat(tmp_path, "sda", 5000, 0)
    io.rates(["/dev/sda"])
    stat(tmp_path, "sda", 10, 0)
    clock.advance(10)
    assert io.rates(["/dev/sda", "/dev/sdb"]) == {"/dev/sda": 0.0}
