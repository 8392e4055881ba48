"""Building segments: all of them every quarter of an hour, and one when somebody asks; in between they follow."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from uuid import UUID

from shuke.base.language import Language
from shuke.platform import Blueprint, JobContext, Running, defer, log, run_job, workplace
from shuke.segments.rules.checking import written_tree
from shuke.segments.rules.traits import names_of_groups, told, worth_telling
from shuke.segments.rules.wording import sentence
from shuke.segments.service import building
from shuke.segments.service.asking import asking
from shuke.segments.service.building import build, build_all
from shuke.segments.service.clustering import cluster
from shuke.segments.service.definitions import list_segments
from shuke.segments.service.following import follow, write_ahead
from shuke.segments.service.reading import names_of

__all__ = ["build_defined", "build_now", "find_clusters", "tasks"]

#: How long one job follows before it gives its place to the next, and how long it waits where nothing happened.
FOLLOW_SECONDS = 57
PAUSE_SECONDS = 1

tasks = Blueprint()


@tasks.periodic(cron="*/15 * * * *")
@tasks.task(name="build_segments", pass_context=True, queueing_lock="segments.build", lock="segments.build")
def build_segments(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - Procrastinate's signature
    """Bring every segment up to date, where there is one."""
    place = workplace(context)
    with place.database.read() as tx:
        there = bool(list_segments(tx))
    if there:
        done = build_all(place, datetime.now(UTC))
        moved = sum(one.entered + one.left for one in done)
        log.info("segments built", segments=len(done), changes=moved)


@tasks.periodic(cron="* * * * *")
@tasks.task(name="follow_segments", pass_context=True, queueing_lock="segments.follow", lock="segments.follow")
def follow_segments(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - likewise
    """Have members follow what happens, until the next of these jobs does."""
    place = workplace(context)
    until = time.monotonic() + FOLLOW_SECONDS
    written = False
    while time.monotonic() < until and not place.stopping.is_set():
        done = follow(place, datetime.now(UTC))
        if done.asked:
            log.info("segments followed", asked=done.asked, changes=done.moved, more=done.more)
        if done.too_many:
            with place.database.begin() as tx:
                defer(tx, build_segments, once="segments.build", timestamp=int(time.time()))
            return
        if not done.more:
            written = written or write_ahead(place, datetime.now(UTC))
            place.stopping.wait(PAUSE_SECONDS)


@tasks.task(name="build_defined", pass_context=True)
def build_defined(context: JobContext, segment_id: str) -> None:
    """Bring a segment up to date that has been defined anew, and those that name it."""
    building.build_defined(workplace(context), UUID(segment_id), datetime.now(UTC))


@tasks.task(name="build_now", pass_context=True)
def build_now(context: JobContext, job_id: str) -> None:
    """Bring one segment up to date, for somebody who waits for it."""
    run_job(context, job_id, _build_asked)


def _build_asked(running: Running) -> None:
    done = build(running.place, UUID(running.job.asked["segment_id"]), datetime.now(UTC))
    with running.place.database.begin() as tx:
        running.done(tx, {"customers": done.customers, "entered": done.entered, "left": done.left})


@tasks.task(name="find_clusters", pass_context=True)
def find_clusters(context: JobContext, job_id: str) -> None:
    """Group the customers, for somebody who waits for it."""
    run_job(context, job_id, _find_asked)


def _find_asked(running: Running) -> None:
    asked_for = running.job.asked
    language = Language(asked_for["language"])
    found = cluster(running.place, asked_for["clusters"], running.progress)
    with running.place.database.begin() as tx:
        names = names_of(tx, asking(tx, running.place), language)
        traits = [worth_telling(one.traits, language, names) for one in found.clusters]
        called = names_of_groups(traits, language, names)
        clusters = [
            {
                "name": name,
                "customers": one.customers,
                "share": one.share,
                "definition": written_tree(one.definition),
                "text": sentence(one.definition, language, names),
                "agreement": one.agreement,
                "traits": [told(trait, language, names) for trait in worth],
            }
            for name, one, worth in zip(called, found.clusters, traits, strict=True)
        ]
        running.done(
            tx,
            {
                "as_of": found.as_of.isoformat(),
                "customers": found.customers,
                "criterion": "silhouette",
                "chosen": found.chosen,
                "tried": [{"clusters": number, "score": score} for number, score in found.tried],
                "clusters": clusters,
            },
        )
