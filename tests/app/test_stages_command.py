"""``shuke stages``, and what an edited file changes: every stage is worked out again here from the orders alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from shuke.app.commands import report, stages
from shuke.app.terminal import stages_of
from shuke.base.errors import BadInput
from shuke.base.language import Language, explain
from shuke.insight.stages import CONTACT_STAGES, CUSTOMER_STAGES, shipped_text

SHUKE = str(Path(sys.executable).with_name("shuke"))
START, DAYS = date(2024, 1, 1), 300
AS_OF = START + timedelta(days=DAYS)
GAP = 20
OWN = (
    ('name = "customer"', f'name = "own"\nusual_gap_days = {GAP}'),
    ('{ en = "Loyal", zh-CN = "忠诚" }', '{ en = "Regulars", zh-CN = "铁粉" }'),
    ('{ en = "At risk", zh-CN = "流失风险" }', '{ en = "Slipping", zh-CN = "渐远" }'),
    ('{ en = "Lost", zh-CN = "流失" }', '{ en = "Dormant", zh-CN = "沉睡" }'),
    ("when.order_days = { at_least = 4 }", "when.order_days = { at_least = 3 }"),
    ("silence = { at_least = 2 }", "silence = { at_least = 1.5 }"),
    ("silence = { at_least = 4 }", "silence = { at_least = 3 }"),
)
OTHER = """
name = "fresh and stale"
[[stages]]
code = "stale"
[[stages]]
code = "fresh"
name = { en = "Fresh", zh-CN = "新鲜" }
[[stages]]
code = "window_shopper"
needs = "events"
[[rules]]
stage = "window_shopper"
when."event:Product Viewed" = { at_least = 3 }
[[rules]]
stage = "fresh"
when.recency_days = { below = 60 }
[[rules]]
stage = "stale"
"""


def _call(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [SHUKE, *arguments],
        cwd=cwd,
        env={**os.environ, "LANG": "C.UTF-8", "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        timeout=300,
        check=False,
    )


def _own() -> str:
    text = shipped_text("customer")
    for old, new in OWN:
        assert old in text
        text = text.replace(old, new)
    return text


def _days() -> dict[str, list[date]]:
    """The order days of 80 customers with rhythms of their own."""
    found: dict[str, list[date]] = {}
    for number in range(80):
        first, gap = (number * 37) % 290, 4 + (number * 13) % 50
        days = [first + gap * turn for turn in range(1 + number % 6)]
        found[f"c{number:02}"] = [START + timedelta(days=day) for day in days if day < DAYS]
    return found


def _stage(days: list[date], at: date) -> str | None:
    """By the edited rules, in plain words of Python."""
    known = [day for day in days if day < at]
    if not known:
        return None
    recency = (at - timedelta(days=1) - known[-1]).days
    silence = recency * len(known) / ((known[-1] - known[0]).days + GAP)
    if silence >= 3:
        return "lost"
    if silence >= 1.5:
        return "at_risk"
    return "loyal" if len(known) >= 3 else "repeat" if len(known) == 2 else "first_purchase"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the orders and two files of stages."""
    folder = tmp_path_factory.mktemp("shop")
    rows = [
        f"{customer}-{turn},{customer},{day},{40 + int(customer[1:])}"
        for customer, days in _days().items()
        for turn, day in enumerate(days)
    ]
    (folder / "orders.csv").write_text("\n".join(["order_id,customer_id,date,amount", *rows]), encoding="utf-8")
    (folder / "own.toml").write_text(_own(), encoding="utf-8")
    (folder / "other.toml").write_text(OTHER, encoding="utf-8")
    return folder


ASKED = ("orders.csv", "--as-of", AS_OF.isoformat(), "--currency", "CNY")


def test_the_shipped_files_come_out_as_they_are(tmp_path: Path) -> None:
    assert _call("stages", cwd=tmp_path).stdout == shipped_text("customer").encode()
    assert _call("stages", "contact", cwd=tmp_path).stdout == shipped_text("contact").encode()


def test_a_file_of_stages_is_never_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = tmp_path / "mine.toml"
    stages.run(stages.StagesOptions(out=mine, language=Language.CHINESE))
    assert f"阶段文件位于 {mine}" in capsys.readouterr().out
    assert mine.read_text(encoding="utf-8") == shipped_text("customer")
    mine.write_text("edited", encoding="utf-8")
    with pytest.raises(BadInput, match="file_exists"):
        stages.run(stages.StagesOptions(out=mine))
    assert mine.read_text(encoding="utf-8") == "edited"
    with pytest.raises(BadInput, match="not_writable"):
        stages.run(stages.StagesOptions(out=tmp_path / "nowhere" / "mine.toml"))


def test_edited_limits_decide_in_the_facts(shop: Path) -> None:
    done = _call("facts", *ASKED, "--out", "own.parquet", "--stages", "own.toml", cwd=shop)
    assert done.returncode == 0, done.stderr
    table = pl.read_parquet(shop / "own.parquet")
    expected = {customer: _stage(days, AS_OF) for customer, days in _days().items()}
    assert dict(table.select("customer_id", "stage").iter_rows()) == expected
    assert set(expected.values()) == {"first_purchase", "repeat", "loyal", "at_risk", "lost"}
    # Without the file, the same orders stand otherwise.
    assert _call("facts", *ASKED, "--out", "shipped.parquet", cwd=shop).returncode == 0
    shipped = dict(pl.read_parquet(shop / "shipped.parquet").select("customer_id", "stage").iter_rows())
    assert shipped != expected


def test_facts_take_stages_of_any_code_and_say_what_orders_do_not_show(shop: Path) -> None:
    done = _call("facts", *ASKED, "--out", "other.parquet", "--stages", "other.toml", "--lang", "en", cwd=shop)
    assert done.returncode == 0, done.stderr
    table = pl.read_parquet(shop / "other.parquet")
    last_day = AS_OF - timedelta(days=1)
    for customer, stage in table.select("customer_id", "stage").iter_rows():
        assert stage == ("fresh" if (last_day - _days()[customer][-1]).days < 60 else "stale")
    assert table["stage"].n_unique() == 2
    said = done.stderr.decode()
    assert "order files hold only people who ordered: window_shopper (needs events)." in said
    assert "The stages ask for event:Product Viewed" in said


@pytest.mark.parametrize(
    ("language", "says"),
    [
        ("en", ("Contact (needs a list of people), Awareness (needs events)", "ask for interest_events")),
        ("zh-CN", ("接触（需要人员名单）、认知（需要行为事件）", "阶段规则用到 interest_events")),
    ],
)
def test_the_contact_stages_say_that_they_need_more_than_orders(
    language: str, says: tuple[str, str], shop: Path
) -> None:
    asked = ("--out", "contact.parquet", "--stages", "contact", "--lang", language)
    done = _call("facts", *ASKED, *asked, cwd=shop)
    assert done.returncode == 0, done.stderr
    for text in says:
        assert text in done.stderr.decode()
    found = set(pl.read_parquet(shop / "contact.parquet")["stage"])
    assert found == {"purchase", "use", "maintenance", "exit"}


def test_edited_stages_take_effect_everywhere_in_the_report(shop: Path) -> None:
    asked = ("--format", "json", "--stages", "own.toml", "--out", "own", "--lang", "zh-CN")
    done = _call("report", *ASKED, *asked, cwd=shop)
    assert done.returncode == 0, done.stderr
    made = json.loads((shop / "own" / "report.json").read_text(encoding="utf-8"))
    figures, days = made["figures"]["figures"], _days()
    now = Counter(_stage(one, AS_OF) for one in days.values())
    # Who stands where, in the order of a life.
    codes = ["first_purchase", "repeat", "loyal", "at_risk", "lost"]
    assert [(one["key"], one["customers"]) for one in figures["stages"]] == [(code, now[code]) for code in codes]
    # Past dates.
    history = {(at, stage): customers for at, stage, customers in figures["stage_history"]}
    assert len({at for at, _ in history}) > 6
    for at in {at for at, _ in history}:
        then = Counter(_stage(one, date.fromisoformat(at[:10])) for one in days.values())
        assert {stage: then[stage] for stage in codes if then[stage]} == {
            stage: customers for (day, stage), customers in history.items() if day == at
        }
    # The transition matrix.
    start = date.fromisoformat(figures["stage_moves_from"][:10])
    moved = Counter((_stage(one, start) or "outside", _stage(one, AS_OF)) for one in days.values())
    assert {(one["source"], one["target"]): one["customers"] for one in figures["stage_moves"]} == moved
    # The rules as data, and as the chapter tells them, under the names of the file.
    assert figures["stage_rules"]["usual_gap_days"] == GAP
    chapter = next(one for one in made["chapters"] if one["code"] == "stages")
    told = chapter["blocks"][0]
    assert "铁粉：至少 3 个购买日。" in told["points"]
    assert "渐远：沉默至少 1.5 个惯常间隔。" in told["points"]
    assert "品牌的典型间隔设为 20 天。" in told["paragraphs"]
    assert any("“忠诚”即“铁粉”" in text for text in told["paragraphs"])
    # The lists and the finding that rests on the stage.
    assert figures["lists"]["loyal"]["customers"] == now["loyal"]
    listed = pl.read_csv(shop / "own" / "lists" / "lost_valuable.csv", infer_schema=False)
    assert set(listed["阶段"]) == {"沉睡"}
    assert {_stage(days[customer], AS_OF) for customer in listed["顾客"]} == {"lost"}
    finding = next(one for one in made["figures"]["findings"] if one["code"] == "lost_valuable")
    assert finding["evidence"][0]["values"]["customers"]["value"] == now["lost"]


@pytest.mark.parametrize(
    ("content", "english", "chinese"),
    [
        ("name = 'own'\n[[rules]]\nstage = repeat", "“mine.toml”: line 3, column 9 is no TOML", "第 3 行第 9 列"),
        (OTHER, "needs stages with the codes prospect, first_purchase", "请保留代码，修改名称、上下限和规则"),
        (
            shipped_text("customer").replace("when.orders", "when.mood"),
            "“mine.toml”: rule 1 asks for “mood”, which nobody knows; known are orders",
            "第 1 条规则用到未知字段“mood”",
        ),
        (
            shipped_text("customer").replace('stage = "repeat"', 'stage = "repeated"'),
            "rule 7 gives the stage “repeated”, which is not declared",
            "第 7 条规则指向未声明的阶段“repeated”",
        ),
        (
            shipped_text("customer").replace('stage = "repeat"\n', ""),
            "rule 7 gives no stage. Write stage",
            "第 7 条规则没有给出阶段",
        ),
        (
            shipped_text("customer").replace("at_least = 4", 'at_least = "four"'),
            'in rule 2, “silence” is { at_least = "four" }. Write limits with numbers',
            "第 2 条规则中“silence”为",
        ),
        (
            shipped_text("customer").replace("otherwise.silence = { at_least = 4 }", ""),
            "Rule 2 of the stages rests on p_alive, which past dates do not have",
            "第 2 条规则只依据 p_alive",
        ),
        (b"name = '\xb0\xa1'", "is no text in UTF-8. Save it as UTF-8", "请另存为 UTF-8"),
        (None, "“mine.toml” cannot be read", "无法读取阶段文件“mine.toml”"),
    ],
    ids=["toml", "codes", "field", "stage", "without", "number", "past", "encoding", "missing"],
)
def test_a_wrong_file_is_refused_in_both_languages_before_anything_is_read(
    content: str | bytes | None, english: str, chinese: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("mine.toml").write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(BadInput) as caught:
        # The orders are not even there.
        report.run(report.ReportOptions(orders=("orders.csv",), out=Path("out"), stages="mine.toml"))
    assert english in explain(caught.value, Language.ENGLISH)
    assert chinese in explain(caught.value, Language.CHINESE)
    assert [path.name for path in tmp_path.iterdir()] == ([] if content is None else ["mine.toml"])


@pytest.mark.parametrize(
    ("command", "language", "says"),
    [
        ("report", "en", "“mine.toml”: [[stages]] 1 does not know usual_gap_days. It knows code, name, needs."),
        ("facts", "zh-CN", "“mine.toml”：[[stages]] 1 中不能有 usual_gap_days，可用的有 code、name、needs。"),
    ],
)
def test_the_commands_say_so_and_leave_nothing(command: str, language: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("[[stages]]\ncode = 'a'\nusual_gap_days = 3\n", encoding="utf-8")
    (tmp_path / "orders.csv").write_text("order_id,customer_id,date,amount\n1,a,2024-01-01,5", encoding="utf-8")
    asked = ("orders.csv", "--out", "out", "--stages", "mine.toml", "--lang", language)
    done = _call(command, *asked, cwd=tmp_path)
    assert done.returncode == 2
    assert says in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()
    assert {path.name for path in tmp_path.iterdir()} == {"mine.toml", "orders.csv"}


def test_stages_are_a_word_or_a_file_in_any_unicode(tmp_path: Path) -> None:
    assert stages_of(None) == stages_of("customer") == CUSTOMER_STAGES
    assert stages_of("contact") == CONTACT_STAGES
    path = tmp_path / "mine.toml"
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        path.write_text(shipped_text("customer"), encoding=encoding)
        assert stages_of(str(path)) == CUSTOMER_STAGES
    with pytest.raises(BadInput, match="no_stages"):
        stages_of(str(tmp_path))
