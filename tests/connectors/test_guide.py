"""What the guide has receivers copy takes what we sign, and nothing else."""

import json
import re
import shutil
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from shuke.connectors.model import Claimed
from shuke.connectors.rules import post_of, secret_text

GUIDES = [Path(__file__).parents[2] / "docs" / part / "guide" / "webhooks.md" for part in ("", "zh-CN")]
SECRET = bytes(range(32))


def block(page: Path, language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return str(found)


def given(seconds_ago: float = 0, *, secrets: tuple[bytes, ...] = (SECRET,)) -> tuple[dict[str, str], bytes]:
    claimed = Claimed(1, UUID(int=1), "msg_1", "https://hooks.example.com/", '{"茶": 1}', 1, 1, secrets)
    post = post_of(claimed, datetime.fromtimestamp(time.time() - seconds_ago, UTC))
    return post.headers, post.body


CASES = ("ours", "two secrets", "another secret", "another body", "long ago", "no signature")
OURS = CASES[:2]


def sent(case: str) -> tuple[dict[str, str], bytes]:
    """What arrives at the receiver, signed as of now."""
    headers, body = given()
    match case:
        case "two secrets":
            return given(secrets=(b"other", SECRET))
        case "another secret":
            return given(secrets=(b"other",))
        case "another body":
            return headers, b"{}"
        case "long ago":
            return given(400)
        case "no signature":
            return headers | {"webhook-signature": "v1,"}, body
    return headers, body


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("page", GUIDES, ids=["en", "zh-CN"])
def test_python(page: Path, case: str) -> None:
    known: dict[str, Any] = {}
    exec(block(page, "python"), known)  # noqa: S102 - it is our own guide
    assert known["is_ours"](secret_text(SECRET), *sent(case)) is (case in OURS)


@pytest.mark.parametrize("page", GUIDES, ids=["en", "zh-CN"])
def test_javascript(page: Path) -> None:
    if shutil.which("node") is None:
        pytest.skip("needs Node")
    asked = [[headers, body.decode()] for headers, body in map(sent, CASES)]
    secret = json.dumps(secret_text(SECRET))
    told = f"console.log(JSON.stringify({json.dumps(asked)}.map(([h, b]) => isOurs({secret}, h, b))))"
    command = ["node", "--input-type=module", "--eval", f"{block(page, 'js')}\n{told}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == [case in OURS for case in CASES]
