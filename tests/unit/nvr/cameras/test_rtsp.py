"""RTSP messages, SDP, addresses, authentication: tables, and the examples of the RFCs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadCamera, BadStream
from nvr.cameras.address import parse_address
from nvr.cameras.auth import Authenticator
from nvr.cameras.rtsp import Session, Transport, parse_message, parse_session, parse_transport
from nvr.cameras.sdp import join_control, parse_sdp
from tests.unit.nvr.cameras.packets import PPS, SPS

ANSWER = (
    b'RTSP/1.0 401 Unauthorized\r\nCSeq: 3\r\nWWW-Authenticate: Basic realm="a"\r\n'
    b"www-authenticate: Digest x\r\n\r\n"
)


def test_message() -> None:
    parsed = parse_message(memoryview(ANSWER + b"$rest"))
    assert parsed is not None
    message, length = parsed
    assert length == len(ANSWER)
    assert (message.status, message.reason, message.cseq) == (401, "Unauthorized", 3)
    assert message.all("WWW-Authenticate") == ('Basic realm="a"', "Digest x")


@given(st.integers(0, len(ANSWER) - 1))
def test_message_that_is_not_whole(cut: int) -> None:
    assert parse_message(memoryview(ANSWER[:cut])) is None or cut == 0


@pytest.mark.parametrize(
    "data",
    [b"HTTP/1.1 400 Bad\r\n\r\n", b"\x00\x01\x02", b"<html>", b"RTSP/1.0 abc\r\n\r\n", b"GET " + b"x" * 20_000,
     b"RTSP/1.0 200 OK\r\nContent-Length: -4\r\n\r\n", b"RTSP/1.0 200 OK\r\nContent-Length: 999999999\r\n\r\n"],
)  # fmt: skip
def test_no_rtsp(data: bytes) -> None:
    with pytest.raises(BadStream):
        parse_message(memoryview(data))


def test_session_and_transport() -> None:
    assert parse_session("abc;timeout=30") == Session("abc", 30.0)
    assert parse_session("abc") == Session("abc", 60.0)
    assert parse_transport("RTP/AVP/TCP;unicast;interleaved=2-3;ssrc=0000ABCD") == Transport(2, 0xABCD)
    assert parse_transport("RTP/AVP/TCP;interleaved=0-1;ssrc=rubbish") == Transport(0, None)
    with pytest.raises(BadStream):
        parse_transport("RTP/AVP;unicast;client_port=5000-5001")


SDP = """v=0
o=- 1 1 IN IP4 10.0.0.1
s=Media
a=control:*
m=audio 0 RTP/AVP 0
a=control:track2
m=video 0 RTP/AVP 96
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1; sprop-parameter-sets=Z01AFuygUBf8uAiAAAADAIAAAAUHixbL,aOvjyyA=
a=control:track1
"""


def test_sdp() -> None:
    description = parse_sdp(SDP, "rtsp://cam/stream/")
    video = description.video()
    assert description.control == "rtsp://cam/stream/"
    assert (video.payload_type, video.control) == (96, "rtsp://cam/stream/track1")
    assert video.parameter_sets == (SPS, PPS)


@pytest.mark.parametrize(
    ("base", "control", "joined"),
    [
        ("rtsp://h/a", "track1", "rtsp://h/a/track1"),
        ("rtsp://h/a/", "track1", "rtsp://h/a/track1"),
        ("rtsp://h/a?x=1", "track1", "rtsp://h/a?x=1/track1"),
        ("rtsp://h/a", "rtsp://other/b", "rtsp://other/b"),
        ("rtsp://h/a", "*", "rtsp://h/a"),
        ("rtsp://h:554/a", "/b/c", "rtsp://h:554/b/c"),
    ],
)
def test_control(base: str, control: str, joined: str) -> None:
    assert join_control(base, control) == joined


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SDP.replace("H264", "H265"), "H265"),
        (SDP.replace("m=video", "m=application"), "no video"),
        ("<html>", "no SDP"),
        (SDP.replace("packetization-mode=1", "packetization-mode=2"), "packetization-mode 2"),
        (SDP.replace("m=video 0 RTP/AVP 96", "m=video"), "bad line"),
    ],
)
def test_streams_that_cannot_be_recorded(text: str, said: str) -> None:
    with pytest.raises(BadStream, match=said):
        parse_sdp(text, "rtsp://cam/").video()


def test_spoilt_parameter_sets_are_left_to_the_stream() -> None:
    text = SDP.replace("Z01AFuygUBf8uAiAAAADAIAAAAUHixbL", "!!")
    assert parse_sdp(text, "rtsp://cam/").video().parameter_sets == (PPS,)


def test_address() -> None:
    address = parse_address("rtsp://us%40er:p%3Aw@10.0.0.7/live?x=1")
    assert (address.host, address.port, address.url) == ("10.0.0.7", 554, "rtsp://10.0.0.7/live?x=1")
    assert (address.user, address.password) == ("us@er", "p:w")
    assert "p:w" not in repr(address)


@pytest.mark.parametrize(
    ("url", "user"),
    [("http://h/", ""), ("rtsp:///x", ""), ("rtsp://h:99999/", ""), ("rtsp://h/a b", ""), ("rtsp://h/\r\nX: y", ""),
     ("rtsp://a:secret@h/", "b"), ("rtsp://[::1/", ""), ("", "")],
)  # fmt: skip
def test_bad_address(url: str, user: str) -> None:
    with pytest.raises(BadCamera) as caught:
        parse_address(url, user)
    assert "secret" not in str(caught.value)


def test_digest_of_rfc_2617() -> None:
    auth = Authenticator("Mufasa", "Circle Of Life", lambda: "0a4f113b")
    assert auth.header("GET", "/dir/index.html") is None
    assert auth.challenged(
        ['Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",'
         ' opaque="5ccc069c403ebaf9f0171e9517f40e41"']
    )  # fmt: skip
    header = auth.header("GET", "/dir/index.html") or ""
    assert 'response="6629fae49393a05397450978507c4ef1"' in header
    assert "nc=00000001" in header
    assert "nc=00000002" in (auth.header("GET", "/dir/index.html") or "")


def test_digest_sha_256_of_rfc_7616_is_preferred() -> None:
    auth = Authenticator("Mufasa", "Circle of Life", lambda: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
    rest = ('realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
            'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"')  # fmt: skip  # noqa: E501
    assert auth.challenged(["Basic realm=\"x\"", "Digest " + rest.format("MD5"), "Digest " + rest.format("SHA-256")])
    header = auth.header("GET", "/dir/index.html") or ""
    assert 'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"' in header
    assert "algorithm=SHA-256" in header


def test_digest_without_qop() -> None:
    auth = Authenticator("admin", "rackeye")
    assert auth.challenged(['Digest realm="cam", nonce="abc"'])
    header = auth.header("DESCRIBE", "rtsp://h/") or ""
    assert "qop" not in header
    assert "cnonce" not in header


def test_a_wrong_password_is_tried_once_and_a_new_nonce_is_not_one() -> None:
    auth = Authenticator("admin", "bad")
    challenge = ['Digest realm="cam", nonce="abc"']
    assert auth.challenged(challenge)
    auth.header("DESCRIBE", "rtsp://h/")
    assert not auth.challenged(challenge)

    good = Authenticator("admin", "good")
    assert good.challenged(challenge)
    good.header("DESCRIBE", "rtsp://h/")
    good.accepted()
    good.header("GET_PARAMETER", "rtsp://h/")
    good.accepted()
    assert good.challenged(['Digest realm="cam", nonce="def"'])


def test_stale_nonces_do_not_go_on_for_ever() -> None:
    auth = Authenticator("admin", "pw")
    stale = ['Digest realm="cam", nonce="abc", stale=true']
    tries = 0
    while auth.challenged(stale):
        auth.header("PLAY", "rtsp://h/")
        tries += 1
        assert tries < 10
    assert tries > 1


def test_basic_only_when_nothing_better_and_no_user_no_answer() -> None:
    auth = Authenticator("Aladdin", "open sesame")
    assert auth.challenged(['Basic realm="WallyWorld"'])
    assert auth.header("GET", "/") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="
    assert not Authenticator("", "").challenged(['Basic realm="x"'])
    assert not Authenticator("a", "b").challenged(["Negotiate abc", 'Digest realm="x", algorithm=TTH'])
