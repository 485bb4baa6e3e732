"""What open alarms mean for the panel's Information LED, warning LED and beeper. Pure."""

from hw.model import Conditions
from nvr.alarms.kinds.chassis import FanFailed, Overheat, PowerSupplyFailed
from nvr.alarms.model import Alarm


def conditions(alarms: tuple[Alarm, ...]) -> Conditions:
    """What holds, and what shall be heard: an alarm that somebody acknowledged is not."""
    codes = {alarm.code for alarm in alarms}
    return Conditions(
        overheat=Overheat.code in codes,
        fan=FanFailed.code in codes,
        psu=PowerSupplyFailed.code in codes,
        alarms=tuple(sorted(alarm.same for alarm in alarms if alarm.sounds and alarm.acknowledged is None)),
    )
