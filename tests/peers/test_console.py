"""Who gets in, who may change something, what is written down, what a gone daemon looks like."""

import asyncio
import re
import ssl
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import httpx
import msgspec
import pytest

from boot.model import PowerRequest, SwitchRequest
from core.accounts import FACTORY_PASSWORD
from core.accounts_model import Role
from core.clock import ManualClock, SystemClock
from core.errors import DriveInUse
from hw.model import LocateRequest
from nvr.web import certificate, reference
from nvr.web.certificate_files import fingerprint, ready
from nvr.web.history import SPAN, History
from nvr.web.openapi import document
from nvr.web.rooms import ASKED_OF_BOX, BOX, ROOMS
from tests.peers import sample
from tests.peers.conftest import Run
from tests.peers.house import PASSWORD, House
from tests.peers.visitor import csrf, visit

POLICY_FILE = Path(__file__).parents[2] / "systemd/dbus/org.rackeye.conf"
CLEAR = {"bay": 5, "serial": "WD-WX12D505417"}


def test_nobody_sees_anything_without_logging_in(house: House, run: Run) -> None:
    async def story() -> None:
        async with visit(house) as client:
            paths = [path for path, item in document()["paths"].items() if "get" in item and path != "/health"]
            for path in paths:
                answer = await client.get(path)
                assert (path, answer.status_code, answer.json()["error"]["code"]) == (path, 401, "ACC-008")
            page = await client.get("/", headers={"accept": "text/html"})
            assert (page.status_code, page.headers["location"]) == (303, "/login")
            assert (await client.get("/health")).json() == {"health": "Critical", "alarms": 2}
            forged = await client.get("/api/v1/raid", headers={"authorization": "Bearer rke_" + "x" * 43})
            assert forged.status_code == 401

    run(story())


def test_the_cookie_and_the_headers_are_as_they_should_be(house: House, run: Run) -> None:
    async def story() -> None:
        async with visit(house) as client:
            done = await client.post("/login", data={"user": "boss", "password": PASSWORD})
            cookie = done.headers["set-cookie"]
            assert cookie.startswith("__Host-rackeye=")
            assert {"HttpOnly", "Path=/", "SameSite=strict", "Secure"} <= set(cookie.split("; "))
            page = await client.get("/")
            policy = page.headers["content-security-policy"]
            assert "unsafe" not in policy
            assert "default-src 'none'" in policy
            assert page.headers["cache-control"] == "no-store"
            assert page.headers["x-frame-options"] == "DENY"
            assert not re.findall(r"<script(?![^>]*src=)|<style|\son\w+=|\sstyle=", page.text)  # nothing inline
            assert "server" not in page.headers

    run(story())


def test_the_factory_password_opens_nothing_but_its_own_change(house: House, run: Run) -> None:
    async def story() -> None:
        async with visit(house) as client:
            done = await client.post("/login", data={"user": "admin", "password": FACTORY_PASSWORD})
            assert done.headers["location"] == "/password"
            assert (await client.get("/api/v1/raid")).json()["error"]["code"] == "ACC-003"
            assert (await client.get("/", headers={"accept": "text/html"})).headers["location"] == "/password"
            form = {"old": FACTORY_PASSWORD, "new": PASSWORD, "again": PASSWORD}
            assert (await client.post("/password", data=form)).status_code == 403  # without the page's own word
            form["csrf"] = await csrf(client, "/password")
            differ = await client.post("/password", data=form | {"again": "another"})
            assert "differ" in differ.text
            assert (await client.post("/password", data=form)).headers["location"] == "/"
            assert (await client.get("/api/v1/raid")).status_code == 200

    run(story())


def test_a_command_is_done_and_written_down(house: House, run: Run) -> None:
    async def story() -> None:
        async with visit(house, "boss") as client:
            done = await client.post("/api/v1/panel/Locate", json={"bay": 3, "on": True})
            assert (done.status_code, done.json()) == (200, {"text": "Bay 3 blinks."})
            assert house.called == [LocateRequest(3, on=True)]
            house.refuse = DriveInUse("Bay 5 is used.", hint="Look.")
            refused = await client.post("/api/v1/raid/ClearDrive", json=CLEAR)
            assert (refused.status_code, refused.json()["error"]["code"]) == (409, "RAID-002")
            log = (await client.get("/api/v1/audit")).json()["entries"]
            assert [entry["what"] for entry in log[:3]] == [
                'raid ClearDrive {"bay":5,"serial":"WD-WX12D505417"}: refused, RAID-002 Bay 5 is used.',
                'raid ClearDrive {"bay":5,"serial":"WD-WX12D505417"}', 'panel Locate {"bay":3,"on":true}']
            assert {entry["who"] for entry in log} == {"boss"}

    run(story())


def test_no_password_gets_into_the_log(house: House, run: Run) -> None:
    async def story() -> None:
        async with visit(house, "boss") as client:
            camera = {"name": "a", "url": "rtsp://u:secret1@192.0.2.1/", "user": "u", "password": "secret2"}
            await client.post("/api/v1/recorder/AddCamera", json=camera)  # this recorder has no such command
            assert "secret" not in (await client.get("/api/v1/audit")).text
            assert "***" in (await client.get("/api/v1/audit")).text

    run(story())


def test_who_asks_is_what_is_so_and_not_what_was_sent(house: House, run: Run) -> None:
    async def story() -> None:
        async with visit(house, "boss") as client:
            await client.post("/api/v1/box/Reboot", json={"who": "somebody else", "where": "console"})
            assert house.called == [PowerRequest("boss", "127.0.0.1")]

    run(story())


def test_a_browser_s_session_is_not_enough_for_the_switch(house: House, run: Run) -> None:
    async def story() -> None:
        async with visit(house, "boss") as client:
            refused = await client.post("/api/v1/box/SwitchToRedundant", json={"answer": "y"})
            assert (refused.status_code, refused.json()["error"]["code"]) == (401, "ACC-001")
            wrong = {"x-rackeye-password": "w%C3%B6rong"}
            assert (await client.post("/api/v1/box/SwitchToRedundant", json={}, headers=wrong)).status_code == 401
            assert house.called == []
            again = {"x-rackeye-password": quote(PASSWORD)}
            done = await client.post("/api/v1/box/SwitchToRedundant", json={"answer": "y"}, headers=again)
            assert done.status_code == 200, done.text
            assert house.called == [SwitchRequest("y", "boss", "127.0.0.1")]
            assert PASSWORD not in (await client.get("/api/v1/audit")).text

    run(story())


def test_a_viewer_looks_and_changes_nothing(house: House, run: Run) -> None:
    async def story() -> None:
        async with visit(house, "guard") as client:
            assert (await client.get("/api/v1/raid")).status_code == 200
            assert (await client.post("/api/v1/raid/PlanSimple", json={})).status_code == 200
            changes = [(room.key, order.name) for room in ROOMS for order in room.orders if not order.looks]
            for room, name in changes:
                answer = await client.post(f"/api/v1/{room}/{name}", json={})
                assert (name, answer.json()["error"]["code"]) == (name, "ACC-009")
            assert len(house.called) == 1

    run(story())


def test_another_site_cannot_use_the_session(house: House, run: Run) -> None:
    async def story() -> None:
        async with visit(house, "boss") as client:
            good = client.headers.pop("x-csrf-token")
            for headers in (
                {}, {"x-csrf-token": "0" * 64}, {"x-csrf-token": good, "origin": "https://evil.example"},
                {"x-csrf-token": good, "sec-fetch-site": "cross-site"},
            ):
                answer = await client.post("/api/v1/raid/ClearDrive", json=CLEAR, headers=headers)
                assert (answer.status_code, answer.json()["error"]["code"]) == (403, "WEB-001")
            evil = {"origin": "https://evil.example"}
            assert (await client.post("/login", data={"user": "x", "password": "y"}, headers=evil)).status_code == 403
            assert house.called == []
            same = {"x-csrf-token": good, "origin": house.url}
            assert (await client.post("/api/v1/raid/ClearDrive", json=CLEAR, headers=same)).status_code == 200

    run(story())


def test_an_api_token_needs_no_page(house: House, run: Run) -> None:
    async def story() -> None:
        house.accounts.add("prometheus", Role.VIEWER, PASSWORD, must_change=False)
        async with visit(house, token=house.accounts.add_token("metrics", "prometheus")) as client:
            text = (await client.get("/metrics")).text
            assert 'rackeye_bay_info{bay="2",serial="WD-WX12D202417",model="WDC WD60PURX-64T0ZY0"} 1\n' in text
            assert 'rackeye_vd_state{vd="vd0",state="Degraded"} 1\n' in text
            assert 'rackeye_fan_speed_rpm{sensor="Fan 2"}' not in text  # unknown is no zero
            assert 'rackeye_drive_smart_health{bay="1",serial="WD-WX12D101417",health="Watch"} 1\n' in text
            assert 'rackeye_drive_smart_passed{bay="1",serial="WD-WX12D101417"} 1\n' in text
            assert 'rackeye_drive_temperature_celsius{bay="1",serial="WD-WX12D101417"} 41\n' in text
            assert 'rackeye_drive_power_on_seconds{bay="1",serial="WD-WX12D101417"} 155556000\n' in text
            assert 'rackeye_drive_pending{bay="1",serial="WD-WX12D101417"} 8\n' in text
            assert 'rackeye_drive_smart_health{bay="2",serial="WD-WX12D202417",health="Unknown"} 1\n' in text
            assert 'rackeye_drive_temperature_celsius{bay="2"' not in text
            assert "rackeye_drive_grown_defects" not in text
        async with visit(house, token=house.accounts.add_token("work", "boss")) as client:
            assert (await client.post("/api/v1/raid/ClearDrive", json=CLEAR)).status_code == 200

    run(story())


def test_an_administrator_manages_accounts_on_the_page(house: House, run: Run) -> None:
    async def story() -> None:
        async with visit(house, "boss") as client:
            new = {"name": "night", "role": "viewer", "password": PASSWORD}
            assert (await client.post("/api/v1/accounts/AddAccount", json=new)).status_code == 200
            assert (await client.post("/api/v1/accounts/AddAccount", json=new)).json()["error"]["code"] == "ACC-006"
            assert (await client.post("/api/v1/accounts/AddAccount", json={"name": 3})).status_code == 400
            made = await client.post("/api/v1/accounts/AddToken", json={"name": "t", "account": "guard"})
            assert house.accounts.token(made.json()["text"]).name == "guard"
            listed = (await client.get("/api/v1/accounts")).json()
            assert [one["name"] for one in listed["accounts"]] == ["admin", "boss", "guard", "night"]
            assert (await client.post("/api/v1/accounts/RemoveAccount", json={"name": "night"})).status_code == 200
        async with visit(house, "guard") as client:
            assert (await client.get("/api/v1/accounts")).json()["error"]["code"] == "ACC-009"
            forged = {"name": "evil", "role": "administrator", "password": PASSWORD, "actor": made.json()["text"]}
            assert (await client.post("/api/v1/accounts/AddAccount", json=forged)).status_code == 403

    run(story())


def test_logging_out_ends_the_session_itself(house: House, run: Run) -> None:
    async def story() -> None:
        async with visit(house, "boss") as client:
            kept = dict(client.cookies)
            done = await client.post("/logout", data={"csrf": client.headers["x-csrf-token"]})
            assert done.headers["location"] == "/login"
            again = await client.get("/api/v1/raid", headers={"cookie": f"__Host-rackeye={kept['__Host-rackeye']}"})
            assert again.status_code == 401

    run(story())


def test_guessing_is_slowed_down(house: House, run: Run) -> None:
    async def story() -> None:
        async with visit(house) as client:
            answers = [await client.post("/login", data={"user": "boss", "password": str(n)}) for n in range(12)]
            assert [answer.status_code for answer in answers] == [401] * 5 + [429] * 7

    run(story())


def test_news_come_at_once_and_a_gone_daemon_is_null(house: House, run: Run) -> None:
    async def story() -> None:
        async with visit(house, "boss") as client, client.stream("GET", "/api/v1/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.aiter_lines()

            async def next_of(key: str) -> str:
                async for line in lines:
                    if line == f"event: {key}":
                        return (await anext(lines)).removeprefix("data: ")
                raise AssertionError("the stream ended")

            await next_of("box")
            house.show("fan", sample.fan(44.0, 1500.0))
            told = await asyncio.wait_for(next_of("fan"), 20)
            assert msgspec.json.decode(told)["data"]["sensors"][0]["value"] == 44.0
            house.servers["fan"].close()
            assert await asyncio.wait_for(next_of("fan"), 20) == "null"
            gone = await client.get("/api/v1/fan")
            assert (gone.status_code, gone.json()["error"]["code"]) == (503, "BUS-001")
            assert gone.json()["last"]["data"]["sensors"][0]["value"] == 44.0
            assert 'rackeye_daemon_up{daemon="rackeye-fand"} 0\n' in (await client.get("/metrics")).text
            house.servers["policy"].close()
            assert await asyncio.wait_for(next_of("policy"), 20) == "null"
            health = await client.get("/health")
            assert (health.status_code, health.json()) == (503, {"health": "Unknown", "alarms": None})

    run(story())


def test_without_boxd_nobody_gets_in_and_that_is_said(house: House, run: Run) -> None:
    async def story() -> None:
        house.servers["box"].close()
        async with visit(house) as client:
            done = await client.post("/login", data={"user": "boss", "password": PASSWORD})
            assert (done.status_code, "org.rackeye.Box1 is not running" in done.text) == (503, True)

    run(story())


@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b"[]", 400), (b'{"bay":"3"}', 400), (b"\xff\xfe", 400),
                                              (b'{"bay":3,"x":"' + b"a" * 70_000 + b'"}', 400)])
def test_nonsense_is_refused(house: House, run: Run, body: bytes, status: int) -> None:
    async def story() -> None:
        async with visit(house, "boss") as client:
            answer = await client.post("/api/v1/panel/Locate", content=body)
            assert (answer.status_code, answer.json()["error"]["code"]) == (status, "BUS-003")
            assert (await client.post("/api/v1/panel/Nothing", json={})).status_code == 404
            assert (await client.get("/api/v1/nothing")).status_code == 404
            assert (await client.get("/static/../webd.py")).status_code == 404

    run(story())


def test_a_name_is_no_markup(house: House, run: Run) -> None:
    async def story() -> None:
        async with visit(house) as client:
            done = await client.post("/login", data={"user": '"><script>x</script>', "password": "y"})
            assert "<script>x" not in done.text

    run(story())


def test_plain_http_is_not_served(house: House, run: Run) -> None:
    async def story() -> None:
        async with httpx.AsyncClient() as client:
            with pytest.raises(httpx.TransportError):
                await client.get(house.url.replace("https", "http"))

    run(story())


def test_the_bus_policy_is_the_table_of_rooms() -> None:
    policy = next(p for p in ElementTree.parse(POLICY_FILE).iter("policy") if p.get("user") == "rackeye-web")
    allowed = {(rule.get("send_interface"), rule.get("send_member")) for rule in policy}
    wanted = {(f"{room.bus}.Admin", order.name) for room in ROOMS for order in room.orders}
    assert allowed == wanted | {(f"{BOX}.Admin", name) for name in ASKED_OF_BOX}


def test_the_reference_is_of_today() -> None:
    page = POLICY_FILE.parents[2] / "docs/ref/api.md"
    assert page.read_text() == reference.text(), "run: .venv/bin/python -m nvr.web.reference > docs/ref/api.md"


def test_the_certificate_is_kept_and_renewed_in_time(tmp_path: Path) -> None:
    clock = ManualClock()
    cert, key = certificate.ensure(tmp_path, clock)
    first = fingerprint(cert)
    assert key.stat().st_mode & 0o777 == 0o600
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key)
    clock.advance(700 * 86_400)
    certificate.ensure(tmp_path, clock)
    assert fingerprint(cert) == first
    clock.advance(100 * 86_400)
    certificate.ensure(tmp_path, clock)
    second = fingerprint(cert)
    assert second != first
    key.write_bytes(b"torn")
    ready(tmp_path, SystemClock())
    assert fingerprint(cert) != second


def test_the_past_of_a_sensor_has_holes_and_an_end() -> None:
    past = History()
    for at in range(0, 1200, 2):
        past.add(sample.fan(30.0, 1500.0), 1000.0 + at)
    assert 140 <= len(past.sensors["Chassis"]) <= 152
    assert past.sensors["Chassis"][0][0] >= 1000 + 1198 - SPAN - 4
    past.add(None, 2300.0)
    assert past.sensors["Chassis"][-1] == (2300.0, None)
