"""From a change of a segment to a message that arrives: made once, sent until it is taken, signed, and told."""

import asyncio
import base64
import hashlib
import hmac
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import sqlalchemy as sa
from procrastinate import PsycopgConnector

from shuke import profiles
from shuke.app.wiring import JOBS
from shuke.base.errors import BadInput, Conflict, NotFound
from shuke.connectors import jobs
from shuke.connectors.model import Claimed, DeliveryState, Endpoint, EventKind, Post, Reply, State
from shuke.connectors.service import deliveries as sent
from shuke.connectors.service import endpoints, sending
from shuke.connectors.service.endpoints import Wanted
from shuke.connectors.service.noting import note_changes
from shuke.connectors.service.posting import HttpPoster
from shuke.connectors.service.sending import send_due, send_for
from shuke.connectors.tables import deliveries as messages
from shuke.connectors.tables import secrets as kept_secrets
from shuke.platform import Transaction, Workplace, defer
from shuke.segments.service.building import build_all
from shuke.segments.service.membership import hold
from shuke.segments.tables import changes, segments

from .receivers import InMemory, Receiver, listening

NOW = datetime.now(UTC).replace(microsecond=0)
BOTH = (EventKind.SEGMENT_ENTERED, EventKind.SEGMENT_LEFT)
HOST = "https://hooks.example.com"
Ask = Callable[..., httpx.Response]


def segment(tx: Transaction, name: str) -> UUID:
    made = uuid4()
    at = {"created_at": NOW, "updated_at": NOW}
    tx.execute(sa.insert(segments).values(segment_id=made, name=name, version=1, **at))
    return made


def move(tx: Transaction, segment_id: UUID, customers: int, *, entered: bool = True, version: int = 1) -> list[UUID]:
    """That so many have entered, or left, as who keeps members tells it."""
    hold(tx)
    moved = [uuid4() for _ in range(customers)]
    row = {"segment_id": segment_id, "at": NOW, "entered": entered, "version": version, "why": "facts"}
    tx.execute(sa.insert(changes), [{**row, "customer_id": one} for one in moved])
    return moved


def endpoint(place: Workplace, name: str = "Automation", path: str = "/in", **wanted: Any) -> tuple[Endpoint, bytes]:
    said = Wanted(name=name, url=HOST + path, **{"kinds": BOTH, **wanted})
    with place.database.begin() as tx:
        made, secret = endpoints.add_endpoint(tx, place.keyring, said, own_hosts=(), made_by="test", now=NOW)
    return made, base64.b64decode(secret.removeprefix("whsec_"))


def bodies(place: Workplace, endpoint_id: UUID) -> list[dict[str, Any]]:
    with place.database.read() as tx:
        found = sa.select(messages.c.body).where(messages.c.endpoint_id == endpoint_id)
        return [json.loads(body) for body in tx.scalars(found.order_by(messages.c.delivery_id))]


def states(place: Workplace, endpoint_id: UUID) -> list[tuple[str, int]]:
    with place.database.read() as tx:
        found = sa.select(messages.c.state, messages.c.attempt).where(messages.c.endpoint_id == endpoint_id)
        return [(row.state, row.attempt) for row in tx.execute(found.order_by(messages.c.delivery_id))]


def now_of(place: Workplace, endpoint_id: UUID) -> Endpoint:
    with place.database.read() as tx:
        return endpoints.get_endpoint(tx, endpoint_id, NOW)


def holds(secret: bytes, post: Post) -> bool:
    """Whether one of the signatures is by this secret; written once more, by the specification."""
    told = b".".join((post.headers["webhook-id"].encode(), post.headers["webhook-timestamp"].encode(), post.body))
    expected = base64.b64encode(hmac.new(secret, told, hashlib.sha256).digest()).decode()
    return f"v1,{expected}" in post.headers["webhook-signature"].split(" ")


def test_each_endpoint_is_told_what_it_asks_for(workplace: Workplace) -> None:
    with workplace.database.begin() as tx:
        loyal, new = segment(tx, "Loyal"), segment(tx, "New")
        move(tx, loyal, 5)
    everything, _ = endpoint(workplace)
    leaving, _ = endpoint(workplace, "Leaving", kinds=[EventKind.SEGMENT_LEFT], segment_ids=[new])
    with workplace.database.begin() as tx:
        entered = move(tx, loyal, 250)
        left = move(tx, new, 3, entered=False)
        again = move(tx, loyal, 2, version=2)
    assert note_changes(workplace.database, NOW) == 6
    # What was before is told to nobody, and nothing twice.
    assert note_changes(workplace.database, NOW) == 0
    told = bodies(workplace, everything.endpoint_id)
    assert [(one["type"], one["data"]["version"], len(one["data"]["customers"])) for one in told] == [
        ("segment.entered", 1, 100),
        ("segment.entered", 1, 100),
        ("segment.entered", 1, 50),
        ("segment.left", 1, 3),
        ("segment.entered", 2, 2),
    ]
    named = [one["customer_id"] for body in told for one in body["data"]["customers"]]
    assert named == [str(one) for one in (*entered, *left, *again)]
    (only,) = bodies(workplace, leaving.endpoint_id)
    assert only == {
        "type": "segment.left",
        "timestamp": NOW.isoformat(),
        "data": {
            "segment_id": str(new),
            "segment": "New",
            "version": 1,
            "customers": [{"customer_id": str(one), "at": NOW.isoformat(), "why": "facts"} for one in left],
        },
    }


def test_many_changes_are_taken_in_parts(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shuke.connectors.service.noting.TAKEN_MAX", 7)
    made, _ = endpoint(workplace)
    with workplace.database.begin() as tx:
        moved = move(tx, segment(tx, "Loyal"), 20)
    assert note_changes(workplace.database, NOW) == 3
    told = [one["customer_id"] for body in bodies(workplace, made.endpoint_id) for one in body["data"]["customers"]]
    assert told == [str(one) for one in moved]
    # Beyond what may wait, changes stay where they are.
    monkeypatch.setattr("shuke.connectors.service.noting.WAITING_MAX", 3)
    with workplace.database.begin() as tx:
        move(tx, segment(tx, "New"), 1)
    assert note_changes(workplace.database, NOW) == 0
    send_due(workplace, InMemory({HOST: Receiver()}))
    assert note_changes(workplace.database, NOW) == 1
    assert len(bodies(workplace, made.endpoint_id)) == 4


def test_one_whose_messages_cannot_be_made_stops_no_other(workplace: Workplace) -> None:
    broken, _ = endpoint(workplace, "Broken")
    before, _ = endpoint(workplace, "Before it")
    after, _ = endpoint(workplace, "After it")
    refused = f"ADD CONSTRAINT not_now CHECK (endpoint_id <> '{broken.endpoint_id}')"
    with workplace.database.begin() as tx:
        move(tx, segment(tx, "Loyal"), 1)
        tx.execute(sa.text(f"ALTER TABLE webhook_deliveries {refused}"))
    assert note_changes(workplace.database, NOW) == 2
    assert [len(bodies(workplace, one.endpoint_id)) for one in (before, broken, after)] == [1, 0, 1]
    # Nothing is lost of it.
    with workplace.database.begin() as tx:
        tx.execute(sa.text("ALTER TABLE webhook_deliveries DROP CONSTRAINT not_now"))
    assert note_changes(workplace.database, NOW) == 1
    assert len(bodies(workplace, broken.endpoint_id)) == 1


def committed_late(place: Workplace, writing: Callable[[Transaction, UUID], list[UUID]]) -> set[str]:
    """Of two who write at the same time, the first number commits last: whom the endpoint is told of."""
    made, _ = endpoint(place, f"Late {writing.__name__}")
    with place.database.begin() as tx:
        loyal = segment(tx, f"Loyal {writing.__name__}")
    first_has_written, second_is_done = threading.Event(), threading.Event()
    moved: list[UUID] = []

    def first() -> None:
        with place.database.begin() as tx:
            moved.extend(writing(tx, loyal))
            first_has_written.set()
            second_is_done.wait(0.5)
            note_changes(place.database, NOW)

    def second() -> None:
        with place.database.begin() as tx:
            moved.extend(writing(tx, loyal))
        second_is_done.set()

    threads = [threading.Thread(target=one) for one in (first, second)]
    threads[0].start()
    first_has_written.wait()
    threads[1].start()
    for one in threads:
        one.join()
    note_changes(place.database, NOW)
    told = {one["customer_id"] for body in bodies(place, made.endpoint_id) for one in body["data"]["customers"]}
    assert told <= {str(one) for one in moved}
    return {str(one) for one in moved} - told


def in_turn(tx: Transaction, segment_id: UUID) -> list[UUID]:
    return move(tx, segment_id, 1)


def at_once(tx: Transaction, segment_id: UUID) -> list[UUID]:
    customer_id = uuid4()
    row = {"segment_id": segment_id, "at": NOW, "entered": True, "version": 1, "why": "facts"}
    tx.execute(sa.insert(changes).values(**row, customer_id=customer_id))
    return [customer_id]


def test_a_change_that_is_committed_late_is_told(workplace: Workplace) -> None:
    assert committed_late(workplace, in_turn) == set()
    # Who writes without their turn is stepped over: the test would see it.
    assert len(committed_late(workplace, at_once)) == 1


def test_members_that_come_and_go_are_told(workplace: Workplace, ask: Ask) -> None:
    """The whole way: a segment, its build, a real receiver, and the signature."""
    with workplace.database.begin() as tx:
        (one,) = profiles.resolve(tx, workplace.keyring, [[("member_number", "M1")]], NOW)
        assert one is not None
        profiles.add_tags(tx, [profiles.NewTag(one.customer_id, "VIP", "wecom", NOW + timedelta(hours=1))], NOW)
    own = replace(workplace, settings=replace(workplace.settings, webhook_hosts=("127.0.0.1",)))
    receiver = Receiver()
    with listening(receiver) as port:
        said = Wanted(name="Own", url=f"http://127.0.0.1:{port}/in", kinds=BOTH)
        with workplace.database.begin() as tx:
            _, secret = endpoints.add_endpoint(
                tx, own.keyring, said, own_hosts=own.settings.webhook_hosts, made_by="test", now=NOW
            )
        made = ask("POST", "/api/segments", json={"name": "VIPs", "definition": {"node": "tag", "tag": "VIP"}})
        build_all(workplace, NOW)
        assert send_due(own, HttpPoster(own.settings.webhook_hosts)) == 1
    (post,) = receiver.seen
    told = json.loads(post.body)
    assert (told["type"], told["data"]["segment_id"]) == ("segment.entered", made.json()["segment_id"])
    assert [one["customer_id"] for one in told["data"]["customers"]] == [str(one.customer_id)]
    assert abs(int(post.headers["webhook-timestamp"]) - time.time()) < 60
    assert holds(base64.b64decode(secret.removeprefix("whsec_")), post)
    changed = Post(post.url, post.headers, post.body.replace(b"entered", b"left"))
    assert not holds(base64.b64decode(secret.removeprefix("whsec_")), changed)


def test_the_worker_sends(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the queue of jobs and the real sender; what else is scheduled waits meanwhile."""
    monkeypatch.setattr(JOBS.periodic_registry, "periodic_tasks", {})
    monkeypatch.setattr(jobs, "SEND_SECONDS", 1)
    own = replace(workplace, settings=replace(workplace.settings, webhook_hosts=("127.0.0.1",)))
    receiver = Receiver()
    with listening(receiver) as port:
        said = Wanted(name="Own", url=f"http://127.0.0.1:{port}/in", kinds=BOTH)
        with own.database.begin() as tx:
            made, _ = endpoints.add_endpoint(tx, own.keyring, said, own_hosts=("127.0.0.1",), made_by="test", now=NOW)
            move(tx, segment(tx, "Loyal"), 1)
            assert defer(tx, jobs.send_webhooks, once="connectors.send", timestamp=0)

        async def work() -> None:
            address = sa.make_url(own.database.url).set(drivername="postgresql")
            connector = PsycopgConnector(conninfo=address.render_as_string(hide_password=False))
            with JOBS.replace_connector(connector) as app:
                async with app.open_async():
                    await app.run_worker_async(
                        wait=False, install_signal_handlers=False, additional_context={"workplace": own}
                    )

        asyncio.run(work())
    assert [json.loads(one.body)["type"] for one in receiver.seen] == ["segment.entered"]
    assert states(own, made.endpoint_id) == [("delivered", 1)]


def told_once(place: Workplace, **wanted: Any) -> tuple[Endpoint, bytes]:
    """An endpoint with one message that waits."""
    made, secret = endpoint(place, **wanted)
    with place.database.begin() as tx:
        move(tx, segment(tx, f"Of {made.name}"), 1)
    assert note_changes(place.database, NOW) == 1
    return made, secret


def later(seconds: float) -> Callable[[], datetime]:
    return lambda: NOW + timedelta(seconds=seconds)


def test_a_message_is_tried_until_it_is_taken(workplace: Workplace) -> None:
    made, _ = told_once(workplace)
    receiver = Receiver(answers={"/in": (500, {}, b"not now")})
    poster = InMemory({HOST: receiver})
    assert send_due(workplace, poster, later(0)) == 1
    assert now_of(workplace, made.endpoint_id).failing_since == NOW
    # Not before its time, which is 5 seconds, and up to a fifth more.
    assert send_due(workplace, poster, later(4)) == 0
    assert send_due(workplace, poster, later(6)) == 1
    receiver.answers.clear()
    assert send_due(workplace, poster, later(299)) == 0
    assert send_due(workplace, poster, later(6 + 360)) == 1
    assert states(workplace, made.endpoint_id) == [("delivered", 3)]
    assert now_of(workplace, made.endpoint_id).failing_since is None
    assert len({one.headers["webhook-id"] for one in receiver.seen}) == 1
    assert [int(one.headers["webhook-timestamp"]) - int(NOW.timestamp()) for one in receiver.seen] == [0, 6, 366]
    with workplace.database.read() as tx:
        (found,) = sent.list_deliveries(tx, made.endpoint_id, now=NOW).items
        tried = sent.attempts_of(tx, found.delivery_id)
    assert [(one.attempt, one.status, one.trouble, one.answer) for one in tried] == [
        (3, 200, None, "thanks"),
        (2, 500, "status", "not now"),
        (1, 500, "status", "not now"),
    ]
    assert send_due(workplace, poster, later(1_000_000)) == 0


def test_what_nobody_takes_has_failed_and_can_be_sent_again(workplace: Workplace) -> None:
    made, _ = told_once(workplace)
    poster = InMemory({})
    moment = 0.0
    for tries in range(1, 8):
        assert states(workplace, made.endpoint_id) == [("waiting", tries - 1)]
        assert send_due(workplace, poster, later(moment)) == 1
        moment += 12 * 3600
    assert states(workplace, made.endpoint_id) == [("failed", 7)]
    assert send_due(workplace, poster, later(moment)) == 0
    now = NOW + timedelta(seconds=moment)
    with workplace.database.begin() as tx:
        assert sent.send_failed_again(tx, made.endpoint_id, since=NOW + timedelta(seconds=1), now=now) == 0
        assert sent.send_failed_again(tx, made.endpoint_id, since=NOW, now=now) == 1
        (one,) = sent.list_deliveries(tx, made.endpoint_id, now=now).items
        with pytest.raises(Conflict, match=r"connectors\.still_waiting"):
            sent.send_again(tx, made.endpoint_id, one.delivery_id, now)
    # It has all its tries again.
    send_due(workplace, poster, later(moment))
    assert states(workplace, made.endpoint_id) == [("waiting", 8)]
    receiver = Receiver()
    send_due(workplace, InMemory({HOST: receiver}), later(moment + 10))
    assert states(workplace, made.endpoint_id) == [("delivered", 9)]
    with workplace.database.begin() as tx:
        assert sent.send_again(tx, made.endpoint_id, one.delivery_id, now).state is DeliveryState.WAITING


def test_who_is_gone_or_fails_for_days_is_disabled(workplace: Workplace) -> None:
    gone, _ = told_once(workplace)
    receiver = Receiver(answers={"/in": (410, {}, b"")})
    send_due(workplace, InMemory({HOST: receiver}), later(0))
    assert states(workplace, gone.endpoint_id) == [("failed", 1)]
    found = now_of(workplace, gone.endpoint_id)
    assert (found.state, found.why_disabled) == (State.DISABLED, "gone")
    failing, _ = told_once(workplace, name="Failing", path="/other")
    send_due(workplace, InMemory({}), later(0))
    assert now_of(workplace, failing.endpoint_id).state is State.ON
    send_due(workplace, InMemory({}), later(5 * 86_400 + 1))
    found = now_of(workplace, failing.endpoint_id)
    assert (found.state, found.why_disabled) == (State.DISABLED, "failing")
    # Meanwhile nothing is noted, and nothing is sent.
    with workplace.database.begin() as tx:
        move(tx, segment(tx, "Meanwhile"), 1)
    assert send_due(workplace, InMemory({HOST: Receiver()}), later(6 * 86_400)) == 0
    wanted = Wanted(name="Failing", url=f"{HOST}/other", kinds=BOTH, on=False)
    with workplace.database.begin() as tx:
        off = endpoints.save_endpoint(tx, failing.endpoint_id, wanted, own_hosts=(), now=NOW)
        assert off.state is State.DISABLED
        on = endpoints.save_endpoint(tx, failing.endpoint_id, replace(wanted, on=True), own_hosts=(), now=NOW)
    assert (on.state, on.why_disabled, on.failing_since) == (State.ON, None, None)
    assert send_due(workplace, InMemory({HOST: Receiver()}), later(6 * 86_400)) == 1
    assert states(workplace, failing.endpoint_id) == [("delivered", 3)]


def test_who_asks_for_time_is_left_alone(workplace: Workplace) -> None:
    made, _ = told_once(workplace)
    receiver = Receiver(answers={"/in": (429, {"retry-after": "600"}, b"")})
    poster = InMemory({HOST: receiver})
    assert send_due(workplace, poster, later(0)) == 1
    with workplace.database.begin() as tx:
        move(tx, segment(tx, "New"), 1)
    assert send_due(workplace, poster, later(599)) == 0
    receiver.answers.clear()
    assert send_due(workplace, poster, later(601)) == 2
    assert {state for state, _ in states(workplace, made.endpoint_id)} == {"delivered"}


def test_a_secret_is_replaced_without_a_gap(workplace: Workplace) -> None:
    made, old = told_once(workplace)
    with workplace.database.begin() as tx:
        text = endpoints.rotate_secret(tx, workplace.keyring, made.endpoint_id, NOW + timedelta(seconds=1))
    new = base64.b64decode(text.removeprefix("whsec_"))
    receiver = Receiver(answers={"/in": (500, {}, b"")})
    poster = InMemory({HOST: receiver})
    send_due(workplace, poster, later(2))
    send_due(workplace, poster, later(86_400 + 2))
    assert [(holds(old, post), holds(new, post)) for post in receiver.seen] == [(True, True), (False, True)]
    assert receiver.seen[0].headers["webhook-signature"].count("v1,") == 2
    # The one of before signs no more once a third is there.
    with workplace.database.begin() as tx:
        endpoints.rotate_secret(tx, workplace.keyring, made.endpoint_id, NOW + timedelta(seconds=3))
        found = endpoints.secrets_of(tx, workplace.keyring, [made.endpoint_id], NOW + timedelta(seconds=4))
    assert (len(found[made.endpoint_id]), found[made.endpoint_id][1]) == (2, new)


def test_secrets_are_encrypted_and_follow_the_master_key(workplace: Workplace) -> None:
    made, secret = endpoint(workplace)
    with workplace.database.begin() as tx:
        (row,) = tx.execute(sa.select(kept_secrets)).all()
        assert secret not in row.cipher
        newer = workplace.keyring.rotated()
        assert endpoints.rewrap_secrets(tx, newer) == 1
        assert endpoints.rewrap_secrets(tx, newer) == 0
        assert endpoints.secrets_of(tx, newer, [made.endpoint_id], NOW) == {made.endpoint_id: (secret,)}


def claimed_at(place: Workplace, seconds: float) -> tuple[Claimed, ...]:
    with place.database.begin() as tx:
        return sent.claim(tx, place.keyring, NOW + timedelta(seconds=seconds))


def queue(place: Workplace, endpoint_id: UUID, count: int) -> None:
    row = {"endpoint_id": endpoint_id, "kind": "segment.entered", "body": "{}", "created_at": NOW, "due_at": NOW}
    with place.database.begin() as tx:
        tx.execute(sa.insert(messages), [row] * count)


def test_an_attempt_belongs_to_one_worker(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = told_once(workplace)
    (first,) = claimed_at(workplace, 0)
    assert claimed_at(workplace, 59) == ()
    # The first was paused for long: another tries, and has the last word.
    (second,) = claimed_at(workplace, 61)
    assert (first.message_id, first.attempt, second.attempt) == (second.message_id, 1, 2)
    receiver = Receiver()
    poster = InMemory({HOST: receiver})
    asyncio.run(sending.deliver(workplace, poster, second, later(61)))
    assert states(workplace, made.endpoint_id) == [("delivered", 2)]
    refusing = InMemory({HOST: Receiver(answers={"/in": (500, {}, b"")})})
    asyncio.run(sending.deliver(workplace, refusing, first, later(62)))
    assert states(workplace, made.endpoint_id) == [("delivered", 2)]
    # Without the number of the attempt its late word would count.
    monkeypatch.setattr(sending, "record", lambda tx, _, *rest, **at: sent.record(tx, second, *rest, **at))
    with workplace.database.begin() as tx:
        tx.execute(sa.text("DELETE FROM webhook_attempts"))
    asyncio.run(sending.deliver(workplace, refusing, first, later(62)))
    assert states(workplace, made.endpoint_id) == [("waiting", 2)]


def test_two_workers_send_nothing_twice(workplace: Workplace) -> None:
    made, _ = endpoint(workplace)
    queue(workplace, made.endpoint_id, 60)
    receiver = Receiver()
    poster = InMemory({HOST: receiver})
    threads = [threading.Thread(target=send_due, args=(workplace, poster)) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    while send_due(workplace, poster):
        pass
    assert Counter(states(workplace, made.endpoint_id)) == {("delivered", 1): 60}
    assert len(receiver.seen) == len({one.headers["webhook-id"] for one in receiver.seen}) == 60


class Slow:
    """One host that never answers in time, and others that do at once; how many are under way at a time."""

    def __init__(self) -> None:
        self.under_way: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.done: Counter[str] = Counter()

    async def post(self, post: Post) -> Reply:
        self.under_way[post.url] += 1
        self.most |= self.under_way
        await asyncio.sleep(3 if post.url.endswith("/slow") else 0.01)
        self.under_way[post.url] -= 1
        self.done[post.url] += 1
        return Reply(status=200)


def test_a_slow_endpoint_holds_up_no_other(workplace: Workplace) -> None:
    slow, _ = endpoint(workplace, "Slow", "/slow")
    quick, _ = endpoint(workplace, "Quick", "/quick")
    queue(workplace, slow.endpoint_id, 50)
    queue(workplace, quick.endpoint_id, 50)
    poster = Slow()
    began = time.monotonic()
    send_for(workplace, poster, 2)
    assert time.monotonic() - began < 8
    assert poster.done == {f"{HOST}/slow": 4, f"{HOST}/quick": 50}
    assert poster.most == {f"{HOST}/slow": sent.AT_ONCE_MAX, f"{HOST}/quick": sent.AT_ONCE_MAX}


def test_who_is_told_to_stop_stops(workplace: Workplace) -> None:
    stopping = replace(workplace)
    stopping.stopping.set()
    began = time.monotonic()
    send_for(stopping, Slow(), 60)
    assert time.monotonic() - began < 2


class Broken:
    async def post(self, post: Post) -> Reply:
        raise RuntimeError(post.url)


def test_a_mistake_of_ours_loses_nothing(workplace: Workplace) -> None:
    made, _ = told_once(workplace)
    assert send_due(workplace, Broken(), later(0)) == 1
    assert states(workplace, made.endpoint_id) == [("waiting", 1)]
    assert send_due(workplace, InMemory({HOST: Receiver()}), later(61)) == 1
    assert states(workplace, made.endpoint_id) == [("delivered", 2)]


def test_what_was_sent_is_forgotten_after_a_time(workplace: Workplace) -> None:
    made, _ = told_once(workplace)
    send_due(workplace, InMemory({HOST: Receiver()}), later(0))
    queue(workplace, made.endpoint_id, 1)
    for days, left in ((7, 2), (8, 1), (30, 1), (31, 0)):
        with workplace.database.begin() as tx:
            sent.tidy(tx, NOW + timedelta(days=days))
        assert len(states(workplace, made.endpoint_id)) == left


def test_what_cannot_be_an_endpoint(workplace: Workplace) -> None:
    endpoint(workplace)
    for wrong, code in (
        ({"name": " "}, "bad_name"),
        ({"kinds": []}, "bad_kinds"),
        ({"segment_ids": [uuid4()]}, "bad_segments"),
        ({"path": ":22/"}, "bad_url"),
    ):
        with pytest.raises(BadInput, match=rf"connectors\.{code}"):
            endpoint(workplace, **{"name": "Other", **wrong})  # type: ignore[arg-type] # what is wrong is the point
    with pytest.raises(Conflict, match=r"connectors\.name_taken"):
        endpoint(workplace)
    for number in range(2, endpoints.ENDPOINTS_MAX + 1):
        endpoint(workplace, f"Number {number}")
    with pytest.raises(Conflict, match=r"connectors\.too_many"):
        endpoint(workplace, "One more")
    with workplace.database.begin() as tx, pytest.raises(NotFound, match=r"connectors\.no_endpoint"):
        endpoints.rotate_secret(tx, workplace.keyring, uuid4(), NOW)
    with workplace.database.read() as tx:
        assert len(endpoints.list_endpoints(tx, NOW)) == endpoints.ENDPOINTS_MAX


BODY = {"name": "Automation", "url": f"{HOST}/in", "kinds": ["segment.entered"]}


def test_the_api(workplace: Workplace, ask: Ask) -> None:
    with workplace.database.begin() as tx:
        loyal = segment(tx, "Loyal")
    made = ask("POST", "/api/webhooks", json=BODY | {"segment_ids": [str(loyal)]})
    assert made.status_code == 200, made.text
    secret, at = made.json().pop("secret"), f"/api/webhooks/{made.json()['endpoint_id']}"
    assert len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32
    assert made.json()["segments"] == [{"segment_id": str(loyal), "name": "Loyal"}]
    found = ask("GET", at)
    assert ask("GET", "/api/webhooks").json()["items"] == [found.json()]
    assert "secret" not in found.text.replace("old_secret_until", "")
    # A change meets what was looked at.
    off = ask("PUT", at, json=BODY | {"on": False}, headers={"if-match": found.headers["etag"]})
    assert (off.status_code, off.json()["state"], off.json()["segments"]) == (200, "off", [])
    late = ask("PUT", at, json=BODY, headers={"if-match": found.headers["etag"]})
    assert (late.status_code, late.json()["code"]) == (412, "access.changed_meanwhile")
    assert ask("POST", f"{at}/test").json()["code"] == "connectors.not_on"
    assert ask("PUT", at, json=BODY, headers={"if-match": off.headers["etag"]}).json()["state"] == "on"
    tested = ask("POST", f"{at}/test").json()
    assert (tested["kind"], tested["state"], tested["attempts"]) == ("webhook.test", "waiting", 0)
    receiver = Receiver()
    send_due(workplace, InMemory({HOST: receiver}))
    assert json.loads(receiver.seen[0].body)["type"] == "webhook.test"
    one = f"{at}/deliveries/{tested['delivery_id']}"
    detail = ask("GET", one).json()
    assert (detail["state"], detail["body"], detail["message_id"]) == (
        *("delivered", receiver.seen[0].body.decode(), receiver.seen[0].headers["webhook-id"]),
    )
    assert [(one["status"], one["answer"]) for one in detail["tried"]] == [(200, "thanks")]
    assert ask("POST", f"{one}/again").json()["state"] == "waiting"
    assert ask("POST", f"{one}/again").json()["code"] == "connectors.still_waiting"
    queue(workplace, UUID(made.json()["endpoint_id"]), 4)
    pages = [ask("GET", f"{at}/deliveries", params={"limit": 3}).json()]
    pages.append(ask("GET", f"{at}/deliveries", params={"limit": 3, "after": pages[0]["next"]}).json())
    ids = [one["delivery_id"] for page in pages for one in page["items"]]
    assert (len(ids), ids, pages[1]["next"]) == (5, sorted(ids, reverse=True), None)
    assert ask("GET", f"{at}/deliveries", params={"state": "failed"}).json()["items"] == []
    assert ask("GET", f"{at}/deliveries", params={"after": "x"}).json()["code"] == "connectors.bad_page"
    assert ask("POST", f"{at}/again", json={"since": NOW.isoformat()}).json() == {"messages": 0}
    rotated = ask("POST", f"{at}/secret").json()
    assert rotated["secret"].startswith("whsec_")
    assert ask("GET", at).json()["old_secret_until"] == rotated["old_secret_until"]
    assert ask("DELETE", at).status_code == 204
    for method, path in (("GET", at), ("DELETE", at), ("GET", one), ("POST", f"{at}/secret"), ("POST", f"{at}/test")):
        assert ask(method, path).status_code == 404
    logged = ask("GET", "/api/audit").text
    assert all(f'"webhook.{what}"' in logged for what in ("make", "change", "delete", "rotate_secret", "test", "again"))
    assert secret not in logged
    assert rotated["secret"] not in logged


def test_who_uses_a_segment_is_named(ask: Ask) -> None:
    made = ask("POST", "/api/segments", json={"name": "All", "definition": {"node": "all"}}).json()
    hook = ask("POST", "/api/webhooks", json=BODY | {"segment_ids": [made["segment_id"]]}).json()
    ask("POST", "/api/webhooks", json=BODY | {"name": "Every"})
    uses = ask("GET", f"/api/segments/{made['segment_id']}/uses").json()["items"]
    assert uses == [{"kind": "webhook", "id": hook["endpoint_id"], "name": "Automation", "archived": False}]


@pytest.mark.parametrize("role", ["analyst", "operations_manager", "store_associate"])
def test_who_may(workplace: Workplace, ask: Ask, key_for: Callable[..., str], role: str) -> None:
    places = ["S1"] if role == "store_associate" else []
    headers = {"authorization": f"Bearer {key_for(workplace, role, places=places)}"}
    expected = 200 if role == "operations_manager" else 403
    assert ask("GET", "/api/webhooks", headers=headers).status_code == expected
    assert ask("POST", "/api/webhooks", json=BODY, headers=headers).status_code == expected
