"""The real clients, unmodified, against a real server."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shuke import access, profiles
from shuke.collect import read_traits
from shuke.platform import Workplace

Settle = Callable[..., Any]


def facts(workplace: Workplace) -> set[tuple[str, str]]:
    with workplace.database.read() as tx:
        return {(row.kind, row.name) for row in tx.execute(sa.text("SELECT kind, name FROM facts"))}


EXPECTED = {
    ("identify", ""),
    ("track", "Product Viewed"),
    ("order", "Order Completed"),
    ("page", "Docs Home"),
    ("screen", "Start"),
    ("group", ""),
    ("alias", ""),
}

PYTHON = """
import sys
from segment.analytics.client import Client
client = Client(sys.argv[1], host=sys.argv[2], gzip=sys.argv[3] == "gzip", max_retries=2, timeout=10)
client.identify("u-1", {"email": "anna@example.com", "firstName": "Anna"})
client.track("u-1", "Product Viewed", {"product_id": "p"})
client.track("u-1", "Order Completed", {"order_id": "o-1", "revenue": 25.5, "currency": "CNY"})
client.page("u-1", "Docs", "Home", {"url": "https://example.com/"})
client.screen("u-1", None, "Start")
client.group("u-1", "g-1", {"plan": "gold"})
client.alias("a-1", "u-1")
client.shutdown()
"""


@pytest.mark.parametrize("encoding", ["plain", "gzip"])
def test_segments_python_client(
    encoding: str, address: str, key: str, settle: Settle, workplace: Workplace, tmp_path: Path
) -> None:
    pytest.importorskip("segment.analytics")
    script = tmp_path / "send.py"
    script.write_text(PYTHON, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script, key, address, encoding], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    settle()
    assert facts(workplace) == EXPECTED
    with workplace.database.read() as tx:
        customer = profiles.find(tx, workplace.keyring, "user_id", "u-1")
        assert customer is not None
        told = read_traits(tx, workplace.keyring, [customer], fields=access.CLEAR)
        assert {name: one.value for name, one in told.items()} == {"email": "anna@example.com", "firstName": "Anna"}
        assert tx.execute(sa.text("SELECT order_id, amount_minor FROM orders")).all() == [("o-1", 2550)]
        moment = tx.scalars(sa.text("SELECT max(occurred_at) FROM facts")).one()
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 60


NODE = """
const { Analytics } = require('@segment/analytics-node')
const client = new Analytics({ writeKey: process.argv[2], host: process.argv[3], maxRetries: 1 })
client.on('error', (error) => { console.error(JSON.stringify(error)); process.exitCode = 1 })
const userId = 'u-1'
client.identify({ userId, traits: { email: 'anna@example.com', firstName: 'Anna' } })
client.track({ userId, event: 'Product Viewed', properties: { product_id: 'p' } })
client.track({ userId, event: 'Order Completed', properties: { order_id: 'o-1', revenue: 25.5, currency: 'CNY' } })
client.page({ userId, category: 'Docs', name: 'Home', properties: { url: 'https://example.com/' } })
client.screen({ userId, name: 'Start' })
client.group({ userId, groupId: 'g-1', traits: { plan: 'gold' } })
client.alias({ userId, previousId: 'a-1' })
client.closeAndFlush({ timeout: 10000 })
"""


def test_segments_node_client(
    address: str, key: str, settle: Settle, workplace: Workplace, segment_clients: Path, tmp_path: Path
) -> None:
    script = tmp_path / "send.js"
    script.write_text(NODE, encoding="utf-8")
    environment = {**os.environ, "NODE_PATH": str(segment_clients)}
    command = ["node", script, key, address]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    settle()
    assert facts(workplace) == EXPECTED
    with workplace.database.read() as tx:
        assert tx.execute(sa.text("SELECT order_id, amount_minor FROM orders")).all() == [("o-1", 2550)]
        rejected = tx.scalars(sa.text("SELECT reason FROM rejects")).all()
    assert json.dumps(rejected) == "[]"
