"""The console on the appliance: as its own user, with boxd's accounts, over the real daemons."""

import json
import ssl
from collections.abc import Iterator

import httpx
import pytest

from rig.daemons import panel
from rig.drives import DriveKind
from rig.forward import forwarded
from rig.rack import Rack
from tests.peers.visitor import csrf_in

pytestmark = pytest.mark.rig
PASSWORD = "four words nobody guesses"


@pytest.fixture(scope="module")
def address(rack: Rack) -> Iterator[str]:
    with forwarded(rack.forward(3443)) as port:
        yield f"https://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def admin(rack: Rack, address: str) -> Iterator[httpx.Client]:
    """Who has just changed the factory's password. Believes only the rack's own certificate."""
    trust = ssl.create_default_context(cadata=rack.sh("cat /var/lib/rackeye/web/cert.pem"))
    with httpx.Client(base_url=address, verify=trust, timeout=20) as client:
        done = client.post("/login", data={"user": "admin", "password": "admin"})
        assert (done.status_code, done.headers["location"]) == (303, "/password")
        form = {"old": "admin", "new": PASSWORD, "again": PASSWORD, "csrf": csrf_in(client.get("/password").text)}
        assert client.post("/password", data=form).headers["location"] == "/"
        client.headers["x-csrf-token"] = csrf_in(client.get("/").text)
        yield client


def test_it_runs_as_nobody_of_importance(rack: Rack, admin: httpx.Client) -> None:
    pid = rack.sh("systemctl show -P MainPID rackeye-web").strip()
    assert rack.sh(f"ps -o user= -p {pid}").strip() == "rackeye-web"
    status = dict(line.split(":", 1) for line in rack.sh(f"cat /proc/{pid}/status").splitlines())
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"].strip() == "1"
    for secret in ("/var/lib/rackeye/accounts/accounts.sqlite", "/var/lib/rackeye/settings.toml", "/dev/sda"):
        script = f"setpriv --reuid=rackeye-web --regid=rackeye-web --clear-groups head -c1 {secret} && echo read"
        assert "read" not in rack.exec(["sh", "-c", script]).stdout


def test_the_page_shows_what_the_daemons_say(rack: Rack, admin: httpx.Client) -> None:
    assert '<section id="chassis"' in admin.get("/").text
    bays = admin.get("/api/v1/panel").json()["data"]["bays"]
    assert [bay["serial"] for bay in bays] == [bay.serial for bay in panel(rack).bays]
    assert admin.get("/api/v1/box").json()["data"]["mode"] == "Standard Mode"


def test_locate_makes_the_amber_led_blink(rack: Rack, admin: httpx.Client) -> None:
    done = admin.post("/api/v1/panel/Locate", json={"bay": 3, "on": True})
    assert done.status_code == 200, done.text
    rack.wait_until(lambda: rack.led("bay3:amber:status").startswith("blink"), 10, "bay 3 blinks")
    admin.post("/api/v1/panel/Locate", json={"bay": 3, "on": False})
    what = [entry["what"] for entry in admin.get("/api/v1/audit").json()["entries"]]
    assert 'panel Locate {"bay":3,"on":true}' in what


def test_a_pulled_drive_reaches_the_page_by_itself(rack: Rack, admin: httpx.Client) -> None:
    with admin.stream("GET", "/api/v1/events") as stream:
        lines = stream.iter_lines()
        while next(lines) != "event: box":
            pass
        rack.pull(5)
        while not (next(lines) == "event: panel" and _is_empty(next(lines), 5)):
            pass  # the client's time-out ends it
    rack.insert(5, DriveKind.BLANK)


def _is_empty(data: str, bay: int) -> bool:
    envelope = json.loads(data.removeprefix("data: "))
    return any(view["bay"] == bay and view["present"] is False for view in envelope["data"]["bays"])


def test_a_dead_daemon_is_unknown_and_not_good(rack: Rack, admin: httpx.Client) -> None:
    rack.sh("systemctl stop rackeye-policyd")
    try:
        rack.wait_until(lambda: admin.get("/health").status_code == 503, 10, "health is unknown")
        assert admin.get("/health").json()["health"] == "Unknown"
    finally:
        rack.sh("systemctl start rackeye-policyd")
    rack.wait_until(lambda: admin.get("/health").status_code == 200, 30, "health is known again")


def test_the_session_outlives_the_console_and_the_certificate_stays(rack: Rack, admin: httpx.Client) -> None:
    rack.sh("systemctl kill -s KILL rackeye-web")
    rack.wait_until(lambda: _who(admin) == {"name": "admin", "role": "administrator", "must_change": False}, 30, "it")


def _who(client: httpx.Client) -> object:
    try:
        return client.get("/api/v1/session").json()
    except httpx.TransportError:  # not up again yet
        return None
