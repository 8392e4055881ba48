"""The worker: runs the background jobs of every room until it is told to stop."""

from __future__ import annotations

import asyncio
import signal

import sqlalchemy as sa
from procrastinate import App, PsycopgConnector

from shuke.app.wiring import JOBS
from shuke.platform import Workplace, log

__all__ = ["work"]

# One of them follows what happens for the segments, and one sends webhooks, all the time.
JOBS_AT_ONCE = 6
# A worker that is told to stop lets its jobs go on for this long.
STOP_SECONDS_MAX = 30


def work(workplace: Workplace) -> None:
    """Run jobs until SIGTERM or SIGINT."""
    asyncio.run(_work(workplace))


async def _work(workplace: Workplace) -> None:
    address = sa.make_url(workplace.database.url).set(drivername="postgresql").render_as_string(hide_password=False)
    connector = PsycopgConnector(conninfo=address, min_size=1, max_size=JOBS_AT_ONCE + 2)
    with JOBS.replace_connector(connector) as app:
        async with app.open_async():
            await _run(app, workplace)


async def _run(app: App, workplace: Workplace) -> None:
    running = asyncio.create_task(
        app.run_worker_async(
            concurrency=JOBS_AT_ONCE,
            install_signal_handlers=False,
            shutdown_graceful_timeout=STOP_SECONDS_MAX,
            additional_context={"workplace": workplace},
        )
    )

    def stop() -> None:
        # Long work that somebody watches is put off at its next step, for another worker to do.
        workplace.stopping.set()
        running.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    log.info("worker started", tasks=len(app.tasks))
    try:
        await running
    except asyncio.CancelledError:
        log.info("worker stopped")
