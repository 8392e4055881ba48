import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent, indent

import pytest
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

import shuke.app
from shuke.app.cli import EXIT_INTERRUPTED

LOCALE = Path(shuke.app.__file__).parent / "locale"


def shuke_says(*arguments: str, language: str = "en_US.UTF-8") -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if name not in ("LC_ALL", "LC_MESSAGES", "LANGUAGE")
    }
    return subprocess.run(
        [str(Path(sys.executable).with_name("shuke")), *arguments],
        env={**environment, "LANG": language, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def test_help_is_in_the_language_of_the_terminal() -> None:
    english, chinese = shuke_says("--help"), shuke_says("--help", language="zh_CN.UTF-8")
    assert english.returncode == chinese.returncode == 0
    assert "Write the lifetime-value report" in english.stdout
    assert "根据订单文件生成生命周期价值分析报告" in chinese.stdout
    assert "用法" in chinese.stdout
    assert "Usage" not in chinese.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("report", "orders.csv", "--out", "x", "--map", "nonsense=1"), "“nonsense=1” is no mapping"),
        (("report", "orders.csv", "--out", "x", "--format", "docx"), "“docx” is no format of the report"),
        (("report", "orders.csv", "--out", "x", "--as-of", "9.12.2011"), "“9.12.2011” is no date"),
        (("report", "orders.csv", "--out", "x", "--lang", "zh-CN", "--as-of", "yesterday"), "“yesterday”不是有效日期"),
        (("report", "orders.csv"), "Missing option '--out'"),
        (("report", "--out", "x"), "No order file was given"),
    ],
)
def test_what_cannot_be_used_is_said_without_a_traceback(arguments: tuple[str, ...], said: str) -> None:
    result = shuke_says(*arguments)
    assert result.returncode == 2
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""
    assert not Path("x").exists()


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("cli", "ibis numpy scipy duckdb altair"),
        ("commands.report", "sqlalchemy psycopg alembic procrastinate fastapi cryptography"),
    ],
)
def test_a_command_does_not_wait_for_what_it_does_not_need(module: str, heavy: str) -> None:
    """A planted import at the top of the module fails here: of the core for the help, of the database for a report."""
    program = f"import sys, shuke.app.{module}; print(*sorted(set('{heavy}'.split()) & set(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert result.stdout.strip() == ""


def test_a_broken_query_is_no_interruption() -> None:
    result = _main("import duckdb; duckdb.execute(\"SELECT 1 / 'x'\")")
    assert (result.returncode, "Traceback" in result.stderr) == (1, True)


def test_an_interrupted_query_ends_the_program_at_once() -> None:
    """DuckDB answers Ctrl-C with an error of its own, and every other time goes on with the query behind it."""
    result = _main("""
        from pathlib import Path
        from signal import SIGINT
        from tempfile import mkdtemp
        from threading import Timer
        from shuke.platform import open_engine
        for times in reversed(range(6)):
            try:
                with open_engine("duckdb", work_folder=Path(mkdtemp())) as engine:
                    Timer(0.1, os.kill, (os.getpid(), SIGINT)).start()
                    engine.connection.raw_sql("SELECT sum(a.range * b.range) FROM range(300000) a, range(300000) b")
            except RuntimeError:
                if not times:
                    raise
    """)
    assert (result.returncode, "Traceback" in result.stderr) == (EXIT_INTERRUPTED, False), result.stderr


def _main(work: str) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own, whose commands all do this."""
    program = "import os\nfrom shuke.app import cli\ndef work(**_):\n"
    program += indent(dedent(work), "    ") + "\ncli.program.main = work\ncli.main()"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)


def test_the_compiled_words_are_those_of_their_source() -> None:
    folder = LOCALE / "zh" / "LC_MESSAGES"
    with (folder / "messages.po").open("rb") as source, (folder / "messages.mo").open("rb") as compiled:
        # The header, which has no id, names the tool that wrote each side.
        written = {str(tuple(m.id)): tuple(m.string) for m in read_po(source) if m.id}
        shipped = {str(tuple(m.id)): tuple(m.string) for m in read_mo(compiled) if m.id}
    assert written == shipped
