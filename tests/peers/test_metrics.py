"""/metrics by Prometheus' own linter, where it can be had (Debian: the package prometheus)."""

import shutil
import subprocess

import pytest

from tests.peers.conftest import Run
from tests.peers.house import House
from tests.peers.visitor import visit

PROMTOOL = shutil.which("promtool") or ""


@pytest.mark.skipif(not PROMTOOL, reason="needs promtool (apt-get install prometheus)")
def test_promtool_has_nothing_to_say(house: House, run: Run) -> None:
    async def story() -> str:
        async with visit(house, "boss") as client:
            return (await client.get("/metrics")).text

    text = run(story())
    done = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
