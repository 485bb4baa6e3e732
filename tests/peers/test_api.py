"""The API by schemathesis: what the OpenAPI document says is what the console does, whatever is sent."""

import asyncio
import shutil
import sys
from pathlib import Path

import pytest

from tests.peers.conftest import Run
from tests.peers.house import House

SCHEMATHESIS = shutil.which("schemathesis", path=str(Path(sys.executable).parent)) or ""
pytestmark = pytest.mark.skipif(not SCHEMATHESIS, reason="needs schemathesis (pip install schemathesis)")


def test_the_document_and_the_answers_agree(house: House, run: Run, tmp_path: Path) -> None:
    async def story() -> tuple[int | None, str]:
        token = house.accounts.add_token("schemathesis", "boss")
        process = await asyncio.create_subprocess_exec(
            SCHEMATHESIS, "run", f"{house.url}/api/v1/openapi.json", "--header", f"Authorization: Bearer {token}",
            "--tls-verify", "false", "--exclude-path", "/api/v1/events",
            "--exclude-path-regex", "^/api/v1/recordings/",  # needs a recorder: tests/peers/test_media.py
            "--max-examples", "8", "--phases",
            "examples,coverage,fuzzing", "--rate-limit", "40/s", "--seed", "7", "--no-color", "--checks", "all",
            # A refusal (409) is an answer to a request that is right as JSON; drives, not the document, decide.
            "--exclude-checks", "positive_data_acceptance,ignored_auth",
            cwd=tmp_path, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
        said, _ = await asyncio.wait_for(process.communicate(), 180)
        return process.returncode, said.decode(errors="replace")

    code, said = run(story())
    assert code == 0, said[-6000:]
