"""Where webhooks may go, how they are signed, and what follows from an answer."""

import base64
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from shuke.base.errors import BadInput
from shuke.connectors.model import DeliveryState, Outcome, Reply, Trouble, WhyDisabled
from shuke.connectors.rules import RETRY_SECONDS, checked_name, checked_url, is_public, outcome, secret_text, signatures

#: Where something of ours may listen, or what may be turned into that on the way.
WITHIN = """
    127.0.0.1 127.8.8.8 0.0.0.0 0.1.2.3 10.0.0.1 172.16.0.1 192.168.1.1 100.64.0.1 100.127.255.255 169.254.169.254
    192.0.0.1 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
    :: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::1 100::1 2001::1
    2001:db8::1 2002:7f00:1::1 fc00::1 fd12:3456::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1 localhost 1.2.3
"""
NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


def test_signatures_are_those_of_standard_webhooks() -> None:
    """The example of the specification, and of every library that follows it."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert secret_text(secret) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    told = ("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signatures([secret], *told) == expected
    first, second = signatures([b"newer", secret], *told).split(" ")
    assert (first != expected, second) == (True, expected)


@pytest.mark.parametrize("address", WITHIN.split())
def test_nothing_of_ours_listens_at_public_addresses(address: str) -> None:
    assert not is_public(address)


def test_public_addresses_are() -> None:
    assert all(map(is_public, ("8.8.8.8", "93.184.216.34", "100.63.255.255", "100.128.0.1", "2606:4700::1111")))


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "https://hooks.example.com:22/",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:99999/",
        "https://user@hooks.example.com/",
        "https://user:word@hooks.example.com/",
        "https://hooks.example.com/#part",
        "https://hooks.example.com\\@127.0.0.1/",
        "https://hooks.example.com /",
        "https://hooks.example.com/\r\nhost: else",
        "https://例子.example/",
        "https:///path",
        "ftp://hooks.example.com/",
        "//hooks.example.com/",
        "https://hooks.example.com/" + "a" * 500,
        "",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(BadInput, match=r"connectors\.bad_url"):
        checked_url(url, {"automation.internal"})


def test_addresses_are_read_as_they_are_written() -> None:
    found = checked_url("HTTPS://Hooks.Example.com:8443/a/b?c=d", ())
    assert (found.scheme, found.host, found.port, found.path, found.own) == (
        *("https", "hooks.example.com", 8443, "/a/b?c=d", False),
    )
    # Hosts of one's own may be asked without encryption, and at any port.
    own = checked_url("http://automation.internal:5678", {"automation.internal"})
    assert (own.port, own.path, own.own) == (5678, "/", True)
    assert checked_url("https://[::1]:9000/", {"::1"}).host == "::1"


@pytest.mark.parametrize("name", ["", " a", "a ", "a\nb", "x" * 101])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(BadInput, match=r"connectors\.bad_name"):
        checked_name(name)


def follows(reply: Reply, tries: int = 1, since: datetime | None = None, jitter: float = 0.0) -> Outcome:
    return outcome(reply, tries=tries, failing_since=since, now=NOW, jitter=jitter)


def test_what_was_taken_is_delivered() -> None:
    for status in (200, 201, 204, 299):
        assert follows(Reply(status=status)) == Outcome(DeliveryState.DELIVERED)


def test_what_failed_is_tried_again_less_and_less_often() -> None:
    waits = [follows(Reply(status=500), tries).again_seconds for tries in range(1, 9)]
    assert waits == [5, 300, 1800, 7200, 18_000, 36_000, None, None]
    assert follows(Reply(status=500), 7).state is DeliveryState.FAILED
    latest = [follows(Reply(status=500), tries, jitter=1.0).again_seconds for tries in range(1, 7)]
    assert latest == [pytest.approx(1.2 * one) for one in RETRY_SECONDS]


@pytest.mark.parametrize(
    ("reply", "trouble"),
    [
        (Reply(status=302), Trouble.REDIRECT),
        (Reply(status=404), Trouble.STATUS),
        (Reply(status=199), Trouble.STATUS),
        (Reply(trouble=Trouble.TIMEOUT), Trouble.TIMEOUT),
        (Reply(trouble=Trouble.ADDRESS), Trouble.ADDRESS),
    ],
)
def test_troubles_have_names(reply: Reply, trouble: Trouble) -> None:
    assert (follows(reply).state, follows(reply).trouble) == (DeliveryState.WAITING, trouble)


def test_who_is_gone_is_left_alone_for_good() -> None:
    found = follows(Reply(status=410))
    assert (found.state, found.again_seconds, found.disable) == (DeliveryState.FAILED, None, WhyDisabled.GONE)


def test_who_has_failed_for_days_is_disabled() -> None:
    failed = Reply(trouble=Trouble.CONNECTION)
    assert follows(failed, since=NOW - timedelta(days=5)).disable is WhyDisabled.FAILING
    assert follows(failed, since=NOW - timedelta(days=5) + timedelta(seconds=1)).disable is None
    assert follows(Reply(status=200), since=NOW - timedelta(days=9)).disable is None


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("7", 7.0),
        ("86400", 36_000.0),
        ("9" * 5_000, 36_000.0),
        (format_datetime(NOW + timedelta(minutes=2), usegmt=True), 120.0),
        (format_datetime(NOW - timedelta(minutes=2), usegmt=True), 0.0),
        ("soon", 0.0),
        ("-5", 0.0),
        ("", 0.0),
        ("٣", 0.0),
    ],
)
def test_who_asks_for_time_is_given_it(given: str, seconds: float) -> None:
    for status in (429, 503):
        found = follows(Reply(status=status, retry_after=given))
        assert (found.pause_seconds, found.again_seconds) == (seconds, max(seconds, 5.0))
    assert follows(Reply(status=500, retry_after=given)).pause_seconds == 0.0
