"""Long work: queued with its transaction, told of while it goes on, kept or failed in sight, whatever befalls it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from shuke.base.errors import BadInput, Conflict, NotFound
from shuke.base.progress import part
from shuke.platform import (
    Asker,
    Blueprint,
    Job,
    JobState,
    Running,
    Workplace,
    cancel_job,
    defer,
    get_job,
    list_jobs,
    queue_job,
    run_job,
    work,
)

LIN = Asker("user", uuid4(), "Lin")
HAN = Asker("user", uuid4(), "Han")
tasks = Blueprint()


@tasks.task(name="test:report")
def report() -> None:
    """A task that is only ever queued here."""


def queue(place: Workplace, *, asker: Asker = LIN, kind: str = "test.report", lock: str | None = None) -> UUID:
    with place.database.begin() as tx:
        return queue_job(tx, report, kind=kind, asker=asker, asked={"year": 2026}, lock=lock)


def find(place: Workplace, job_id: UUID, **wanted: Any) -> Job:
    with place.database.read() as tx:
        return get_job(tx, job_id, **wanted)


def run(place: Workplace, job_id: UUID, do: Callable[[Running], None]) -> Job:
    run_job(SimpleNamespace(additional_context={"workplace": place}), str(job_id), do)  # type: ignore[arg-type]
    return find(place, job_id)


def write(place: Workplace, statement: str, **values: Any) -> Any:
    with place.database.begin() as tx:
        return tx.execute(sa.text(statement), values)


def waiting(place: Workplace) -> list[str]:
    with place.database.read() as tx:
        found = tx.scalars(sa.text("SELECT args FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id")).all()
    return [one.get("job_id", "") for one in found]


def finish(running: Running) -> None:
    with running.place.database.begin() as tx:
        running.done(tx, {"pages": 3})


def test_the_table_is_as_it_was_migrated(workplace: Workplace) -> None:
    with workplace.database.read() as tx:
        found = [
            (column["name"], column["type"].compile(tx.dialect), column["nullable"])
            for column in sa.inspect(tx).get_columns("jobs")
        ]
        declared = [(column.name, column.type.compile(tx.dialect), column.nullable) for column in work.jobs.columns]
    assert found == declared


def test_a_job_is_done_and_told_of(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "_TELL_SECONDS", 0)
    seen: list[tuple[JobState, float, str | None]] = []

    def do(running: Running) -> None:
        part(running.progress, 0.0, 0.5)("collect.read", 0.5)
        now = find(workplace, running.job.job_id)
        seen.append((now.state, now.progress, now.doing))
        finish(running)

    job_id = queue(workplace)
    assert waiting(workplace) == [str(job_id)]
    assert find(workplace, job_id).state is JobState.QUEUED
    done = run(workplace, job_id, do)
    assert seen == [(JobState.RUNNING, 0.25, "collect.read")]
    assert (done.state, done.progress, done.result, done.doing) == (JobState.DONE, 1.0, {"pages": 3}, None)
    assert done.asked == {"year": 2026}
    # The queue may bring it twice: it is done once.
    assert run(workplace, job_id, lambda _: pytest.fail("again")) == done


def test_progress_is_written_now_and_then_only(workplace: Workplace) -> None:
    def do(running: Running) -> None:
        for number in range(1_000):
            running.progress("collect.read", number / 1_000)
        assert find(workplace, running.job.job_id).progress < 0.9
        finish(running)

    assert run(workplace, queue(workplace), do).state is JobState.DONE


def test_a_job_is_its_askers(workplace: Workplace) -> None:
    mine, other = queue(workplace), queue(workplace, asker=HAN, kind="test.other")
    with pytest.raises(NotFound, match="no_job"):
        find(workplace, mine, asker=HAN)
    with pytest.raises(NotFound, match="no_job"):
        find(workplace, mine, kind="test.other")
    with workplace.database.read() as tx:
        assert [job.job_id for job in list_jobs(tx, asker=LIN)] == [mine]
        assert [job.job_id for job in list_jobs(tx)] == [other, mine]
        assert [job.job_id for job in list_jobs(tx, before=other)] == [mine]
        assert [job.job_id for job in list_jobs(tx, kind="test.other")] == [other]


def test_what_it_fails_of_is_kept(workplace: Workplace) -> None:
    def refuses(_: Running) -> None:
        raise BadInput("collect.file_missing", file="x.csv", seen=UUID(int=1))

    failed = run(workplace, queue(workplace), refuses)
    assert failed.state is JobState.FAILED
    assert failed.problem is not None
    assert (failed.problem.code, failed.problem.values) == (
        "collect.file_missing",
        {"file": "x.csv", "seen": str(UUID(int=1))},
    )

    def breaks(_: Running) -> None:
        raise ZeroDivisionError("13812345678")

    broken = run(workplace, queue(workplace), breaks)
    assert broken.problem is not None
    assert broken.problem.code == "platform.job_failed"
    assert "13812345678" not in json.dumps(broken.problem.values)


def test_what_waits_and_what_runs_can_be_cancelled(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "_TELL_SECONDS", 0)

    def cancel(job_id: UUID) -> Job:
        with workplace.database.begin() as tx:
            return cancel_job(tx, job_id)

    job_id = queue(workplace)
    assert cancel(job_id).state is JobState.CANCELLED
    assert run(workplace, job_id, lambda _: pytest.fail("was cancelled")).state is JobState.CANCELLED

    def do(running: Running) -> None:
        running.progress("collect.read", 0.1)
        assert cancel(running.job.job_id).cancelling
        try:
            running.progress("collect.read", 0.2)
        except Exception:
            pytest.fail("went on")
        pytest.fail("went on")

    cancelled = run(workplace, queue(workplace), do)
    assert (cancelled.state, cancelled.result) == (JobState.CANCELLED, None)
    done = run(workplace, queue(workplace), finish)
    assert cancel(done.job_id) == done


def test_a_worker_that_stops_leaves_it_to_another(workplace: Workplace) -> None:
    def do(running: Running) -> None:
        workplace.stopping.set()
        running.progress("collect.read", 0.1)

    job_id = queue(workplace)
    assert run(workplace, job_id, do).state is JobState.QUEUED
    assert waiting(workplace) == [str(job_id)] * 2
    workplace.stopping.clear()
    assert run(workplace, job_id, finish).state is JobState.DONE


def die(place: Workplace, job_id: UUID | None = None, *, silent_seconds: int = 600) -> None:
    """Leave the queue as a worker does that is killed while it runs what waits."""
    write(
        place,
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => :s))",
        s=silent_seconds,
    )
    write(
        place,
        "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT max(id) FROM procrastinate_workers)"
        " WHERE status = 'todo'",
    )
    if job_id is not None:
        began = work._begin(place.database, job_id)
        assert began is not None
        write(place, "UPDATE jobs SET touched_at = touched_at - make_interval(secs => :s)", s=silent_seconds)


def test_what_a_killed_worker_had_goes_on_and_at_last_fails(workplace: Workplace) -> None:
    job_id = queue(workplace, lock="one")
    behind = workplace.settings.work_folder / f"{work._prefix(workplace)}{job_id}-x"
    for attempt in (1, 2, 3):
        behind.mkdir()
        die(workplace, job_id)
        assert find(workplace, job_id).attempts == attempt
        work.look_after_jobs(workplace, datetime.now(UTC))
        assert not behind.exists()
        if attempt < 3:
            assert find(workplace, job_id).state is JobState.QUEUED
            assert waiting(workplace) == [str(job_id)]
    failed = find(workplace, job_id)
    assert failed.state is JobState.FAILED
    assert failed.problem is not None
    assert failed.problem.code == "platform.job_interrupted"
    # Nothing holds the lock any more.
    next_id = queue(workplace, lock="one")
    fetched = "SELECT (procrastinate_fetch_job_v2(NULL, NULL)).args ->> 'job_id'"
    assert write(workplace, fetched).scalar() == str(next_id)


def test_the_living_keep_what_they_have(workplace: Workplace) -> None:
    job_id = queue(workplace)
    kept = workplace.settings.work_folder / f"{work._prefix(workplace)}{job_id}-x"
    kept.mkdir()
    die(workplace, job_id, silent_seconds=20)
    assert work.look_after_jobs(workplace, datetime.now(UTC)) == 0
    assert find(workplace, job_id).state is JobState.RUNNING
    assert kept.exists()
    kept.rmdir()


def test_a_worker_that_was_taken_for_dead_commits_nothing(workplace: Workplace) -> None:
    """It was paused, another has done its job meanwhile, and then it goes on."""
    job_id = queue(workplace)

    def paused(running: Running) -> None:
        write(workplace, "UPDATE jobs SET touched_at = touched_at - interval '1 hour'")
        write(workplace, "UPDATE procrastinate_jobs SET status = 'failed'")
        work.look_after_jobs(workplace, datetime.now(UTC))
        assert run(workplace, job_id, finish).state is JobState.DONE
        with running.place.database.begin() as tx:
            tx.execute(sa.text("CREATE TABLE effect ()"))
            running.done(tx, {"pages": 99})

    done = run(workplace, job_id, paused)
    assert (done.state, done.result, done.attempts) == (JobState.DONE, {"pages": 3}, 2)
    with workplace.database.read() as tx:
        assert tx.scalar(sa.text("SELECT to_regclass('effect')")) is None


def test_what_may_pass_is_tried_again(workplace: Workplace) -> None:
    def restarts(_: Running) -> None:
        raise OperationalError("SELECT 1", {}, Exception("the database restarts"))

    job_id = queue(workplace)
    write(workplace, "UPDATE procrastinate_jobs SET status = 'doing'")
    assert run(workplace, job_id, restarts).state is JobState.RUNNING
    write(workplace, "UPDATE procrastinate_jobs SET status = 'succeeded'")
    work.look_after_jobs(workplace, datetime.now(UTC))
    assert find(workplace, job_id).state is JobState.RUNNING
    work.look_after_jobs(workplace, datetime.now(UTC) + timedelta(minutes=2))
    assert run(workplace, job_id, finish).state is JobState.DONE


def test_tasks_that_nobody_watches_are_taken_from_the_dead_too(workplace: Workplace) -> None:
    with workplace.database.begin() as tx:
        defer(tx, report, once="one", lock="one")
    die(workplace)
    assert work.look_after_jobs(workplace, datetime.now(UTC)) == 1
    assert waiting(workplace) == [""]
    die(workplace)
    with workplace.database.begin() as tx:
        # The next one of a schedule waits already.
        assert defer(tx, report, once="one", lock="one")
    assert work.look_after_jobs(workplace, datetime.now(UTC)) == 1
    assert waiting(workplace) == [""]


def test_nobody_has_too_many_open(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "JOBS_OPEN_MAX", 2)
    first = queue(workplace)
    queue(workplace)
    with pytest.raises(Conflict, match="too_many_jobs"):
        queue(workplace)
    assert len(waiting(workplace)) == 2
    queue(workplace, asker=HAN)
    run(workplace, first, finish)
    queue(workplace)


def test_traces_are_forgotten_in_the_end(workplace: Workplace) -> None:
    ended, open_id = queue(workplace), queue(workplace)
    run(workplace, ended, finish)
    write(workplace, "UPDATE procrastinate_jobs SET status = 'succeeded' WHERE args ->> 'job_id' = :id", id=str(ended))
    now = datetime.now(UTC)
    with workplace.database.begin() as tx:
        assert (work.forget_jobs(tx, now), work.forget_queued(tx, now)) == (0, 0)
        later = now + timedelta(days=401)
        assert (work.forget_jobs(tx, later), work.forget_queued(tx, later)) == (1, 1)
    assert find(workplace, open_id).state is JobState.QUEUED
    assert waiting(workplace) == [str(open_id)]
