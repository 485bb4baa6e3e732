"""The words: host, array, bay, serial, what to do; and nothing that a drive says makes a header."""

import json
from dataclasses import replace

from nvr.alarms.letters import News, document, mail, subject, text
from nvr.alarms.letters import test_mail as letter_of_test
from nvr.alarms.model import Event, Level, Told
from tests.unit.nvr.alarms.samples import NOW, alarm

RAISED = (Event.RAISED,)


def test_a_mail_has_all_that_is_needed() -> None:
    message = mail("nvr@example.org", ("a@example.org", "b@example.org"), "rack7", [News(alarm(1), RAISED)], NOW)
    assert message["Subject"] == "[rack7] Critical: Drive failed (vd0, bay 2)"
    assert message["To"] == "a@example.org, b@example.org"
    assert message["Auto-Submitted"] == "auto-generated"
    words = message.get_content()
    for fact in ("rack7", "vd0", "Bay:         2", "SN2", "Put a blank drive into bay 2.", "ALARM-101", "RAISED"):
        assert fact in words


def test_what_loses_video_comes_first_and_is_urgent() -> None:
    group = [News(alarm(1), RAISED), News(alarm(2, loud=True), RAISED), News(alarm(3, cleared=NOW), (Event.CLEARED,))]
    message = mail("a@b.c", ("a@b.c",), "rack7", group, NOW)
    assert message["Subject"] == "[rack7] Critical: Recording stopped (cam1), and 2 more"
    assert message["Importance"] == "high"
    words = message.get_content()
    assert words.index("Recording stopped") < words.index("RAISED: Drive failed") < words.index("CLEARED: Drive failed")
    assert mail("a@b.c", ("a@b.c",), "rack7", [News(alarm(1), RAISED)], NOW)["Importance"] is None


def test_what_is_over_says_so() -> None:
    over = News(alarm(1, cleared=NOW + 60), (Event.RAISED, Event.CLEARED))
    assert subject("rack7", [over]) == "[rack7] Cleared: Drive failed (vd0, bay 2)"
    words = text("rack7", [over])
    assert "RAISED and CLEARED: Drive failed" in words
    assert "The drive is rebuilt." in words
    assert "Put a blank drive" not in words, "nobody shall pull a drive for an alarm that is over"


def test_an_acknowledged_alarm_says_that_a_person_saw_it() -> None:
    seen = News(replace(alarm(1), acknowledged=NOW + 5), (Event.ACKNOWLEDGED,))
    assert subject("rack7", [seen]).startswith("[rack7] Acknowledged: ")
    assert "by a person" in text("rack7", [seen])


def test_names_from_outside_make_no_header_and_no_line() -> None:
    evil = replace(alarm(1), vd="vd0\r\nBcc: x@y.z", serial="A\nHost: other")
    message = mail("a@b.c", ("a@b.c",), "rack7", [News(evil, RAISED)], NOW)
    assert message["Bcc"] is None
    assert message.as_string().count("\nHost: other") == 0
    assert "  Serial:      A Host: other" in message.get_content()


def test_the_test_mail() -> None:
    assert letter_of_test("a@b.c", ("a@b.c",), "rack7", NOW)["Subject"] == "[rack7] Test mail"


def test_a_webhooks_document() -> None:
    told = replace(alarm(1), told=(Told("mail", "secret@b.c", Event.RAISED, NOW),))
    body = json.loads(document("rack7", [News(told, (Event.RAISED, Event.CLEARED))], NOW))
    assert (body["version"], body["host"], body["at"]) == (1, "rack7", NOW)
    assert [event["event"] for event in body["events"]] == ["Raised", "Cleared"]
    assert body["events"][0]["alarm"]["serial"] == "SN2"
    assert body["events"][0]["alarm"]["level"] == Level.CRITICAL
    assert "told" not in body["events"][0]["alarm"], "who else was told is nobody's business"
