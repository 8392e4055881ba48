"""DuckDB SQL that reads one cell: text, identifiers, numbers, moments."""

from __future__ import annotations

from shuke.collect.model import MONEY_DIGITS, MONEY_PRECISION
from shuke.collect.rules.dates import EXCEL_SERIALS, DatePlan
from shuke.collect.service.desk import listed, quoted

_BLANKS = " \t\r\n\u00a0\u3000\ufeff"
_NOTHING = "^(?i:null|none|nan|nat|#?n/a|--?|\\\\n)$"
_FULL_WIDTH = "０１２３４５６７８９．，－＋（）：／　"
_HALF_WIDTH = "0123456789.,-+():/ "
_MONTHS = "(?i)\\b(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\\.?"
DECIMAL = f"DECIMAL({MONEY_PRECISION}, {MONEY_DIGITS})"

_ENDS = "\\t\\r\\n\u00a0\u3000\ufeff"
#: A text that cleaning would change, or that means nothing.
UNTIDY = f"^['` {_ENDS}]|[ {_ENDS}]$|=\"|^(?i:null|none|nan|nat|#?n/a|--?|\\\\n|)$"

#: An identifier that a spreadsheet has turned into a number and lost the end of: 1.38E+10.
SCIENTIFIC = "^[0-9](\\.[0-9]+)?[eE]\\+?[0-9]+$"


#: Moments that say themselves what they are, year first; a column that holds nothing else needs no closer look.
PLAIN_MOMENTS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y-%m-%dT%H:%M:%S",
)


def text(column: str) -> str:
    """The text of a cell, without blanks at its ends or the ``="…"`` of shop exports; null for what means none."""
    return _where(f"regexp_matches({column}, {quoted(UNTIDY)})", column, _cleaned(column))


def is_broken(column: str) -> str:
    """Whether an id is `SCIENTIFIC`, looked at only where the common test for anything odd has found something."""
    return f"CASE WHEN {_is_odd(column)} THEN regexp_matches({column}, '{SCIENTIFIC}') ELSE false END"


def identifier(column: str, *, floats: bool) -> str:
    """An id as the file has it; ``floats`` says that a column of whole numbers was written as 17850.0."""
    bare = _where(_is_odd(column), column, f"nullif(ltrim({_cleaned(column)}, '''`'), '')")
    return f"regexp_replace({bare}, '\\.0+$', '')" if floats else bare


def _is_odd(column: str) -> str:
    return f"regexp_matches({column}, {quoted(f'{UNTIDY}|{SCIENTIFIC}')})"


def _where(odd: str, column: str, cleaned: str) -> str:
    # One look for anything to clean costs a fraction of cleaning, and most cells need none.
    return f"CASE WHEN {odd} THEN {cleaned} ELSE {column} END"


def _cleaned(column: str) -> str:
    # Each step occurs once: what occurs twice DuckDB computes beforehand, for the rows too that do not need it.
    bare = f"trim(regexp_replace({column}, '^\\s*=\"(.*)\"\\s*$', '\\1', 's'), {quoted(_BLANKS)})"
    return f"nullif(regexp_replace({bare}, {quoted(_NOTHING)}, ''), '')"


def half_width(column: str) -> str:
    """A cell with the digits and marks of Chinese typing as plain ones."""
    plain = f"translate({text(column)}, {quoted(_FULL_WIDTH)}, {quoted(_HALF_WIDTH)})"
    return f"CASE WHEN strlen({column}) <> length({column}) THEN {plain} ELSE {text(column)} END"


def shape(expression: str) -> str:
    """The cell with every digit as 9."""
    return f"translate({expression}, '0123456789', '9999999999')"


def plain_number(column: str) -> str:
    """A decimal from a cell that is written as programs write them; else null."""
    return f"try_cast({text(column)} AS {DECIMAL})"


def plain_moment(expression: str) -> str:
    """A moment from a cell that is spelled year first; else null."""
    return f"try_strptime({expression}, {listed(PLAIN_MOMENTS)})"


def number(column: str, *, mark: str) -> str:
    """A decimal from a cell with thousands separators, currency signs, brackets or a minus at either end; else null."""
    cell = half_width(column)
    sign = "[-+(−–]?"
    # A minus after letters needs a blank before it: SKU-12 is no number.
    letters = f"[A-Za-z]{{1,3}}\\$?(?:\\s+{sign})?|人民币{sign}"
    before = f"^\\s*{sign}\\s*(?:{letters}|[^\\sA-Za-z0-9.,+(−–-]{{1,3}}\\s*{sign})?\\s*"
    core = "\\.?[0-9](?:[0-9.,''’ \u00a0\u202f]*[0-9])?[.,]?(?:[eE][+-]?[0-9]+)?"
    after = "\\s*\\)?-?\\s*(?:[A-Za-z]{1,3}|[^\\s0-9A-Za-z.,]{1,3})?\\)?\\s*$"
    other = "," if mark == "." else "."
    digits = f"regexp_replace(regexp_extract({cell}, '{core}'), '[''’ \u00a0\u202f{other}]', '', 'g')"
    if mark == ",":
        digits = f"replace({digits}, ',', '.')"
    negative = f"regexp_matches({cell}, '^[^0-9.]*[-(−–]|-\\s*[^0-9]*$')"
    careful = (
        f"CASE WHEN regexp_matches({cell}, '{before}{core}{after}') "
        f"THEN try_cast(CASE WHEN {negative} THEN '-' ELSE '' END || {digits} AS {DECIMAL}) END"
    )
    return f"coalesce({plain_number(column)}, {careful})" if mark == "." else careful


def one_spelling(column: str, marks: str) -> str:
    """A moment in the spelling that `rules.dates` knows. ``marks`` are the characters that occur beside digits.

    Only the steps that these characters call for are taken, since each costs a pass over the column.
    """
    cell = half_width(column)
    if any(mark in marks for mark in "年月日"):
        cell = f"regexp_replace(replace(regexp_replace({cell}, '\\s*[年月]\\s*', '-', 'g'), '日', ' '), '-\\s*$', '')"
    if any(mark in marks for mark in "时時点分秒"):
        cell = f"rtrim(replace(regexp_replace({cell}, '\\s*[时時点分]\\s*', ':', 'g'), '秒', ''), ':')"
    if any(mark in marks for mark in "上下午晚早凌晨"):
        late = f"regexp_matches({cell}, '下午|晚上')"
        early = f"regexp_matches({cell}, '上午|早上|凌晨')"
        bare = f"trim(regexp_replace({cell}, '\\s*(上午|早上|凌晨|下午|晚上)\\s*', ' '))"
        cell = f"{bare} || CASE WHEN {late} THEN ' PM' WHEN {early} THEN ' AM' ELSE '' END"
    if "/" in marks:
        cell = f"replace({cell}, '/', '-')"
    if "." in marks:
        cell = f"regexp_replace({cell}, '^([0-9]{{1,4}})\\.([0-9]{{1,2}})\\.([0-9]{{2,4}})', '\\1-\\2-\\3')"
    if "T" in marks:
        cell = f"regexp_replace({cell}, '([0-9])T([0-9])', '\\1 \\2')"
    if any(mark in marks for mark in "ZUGz"):
        cell = f"regexp_replace({cell}, '\\s*(Z|z|UTC|GMT)$', '+00:00')"
    if "," in marks and ":" in marks:
        cell = f"regexp_replace({cell}, '([0-9]),\\s+([0-9]{{1,2}}:)', '\\1 \\2')"
    if any(mark in marks for mark in "apAP"):
        cell = f"regexp_replace(regexp_replace({cell}, '(?i)\\s*a\\.?m\\.?$', ' AM'), '(?i)\\s*p\\.?m\\.?$', ' PM')"
    if any(mark.isascii() and mark.isalpha() and mark not in "TZ" for mark in marks):
        cell = f"regexp_replace({cell}, '{_MONTHS}', '\\1')"
    return f"trim(regexp_replace({cell}, '\\s+', ' ', 'g'))" if " " in marks or "日" in marks else cell


def moment_shape(expression: str) -> str:
    """The shape of a moment in its one spelling: digits as 9, months as Mon."""
    return f"regexp_replace({shape(expression)}, '{_MONTHS}', 'Mon')"


def moment(expression: str, plan: DatePlan, *, timezone: str | None) -> str:
    """A timestamp without a zone from a moment in its one spelling; null for what the plan does not read.

    A stamp with a zone becomes the time on the brand's clocks; without a known zone it keeps the clock it shows.
    """
    tries: list[str] = []
    if plan.formats:
        tries.append(f"try_strptime({expression}, {listed(plan.formats)})")
    if plan.zoned_formats and timezone is not None:
        stamp = f"try_strptime({expression}, {listed(plan.zoned_formats)})"
        tries.append(f"timezone({quoted(timezone)}, {stamp})")
    elif plan.zoned_formats:
        bare = f"regexp_replace({expression}, ' ?[+-][0-9]{{2}}(:?[0-9]{{2}})?$', '')"
        formats = [form.replace(" %z", "").replace("%z", "") for form in plan.zoned_formats]
        tries.append(f"try_strptime({bare}, {listed(formats)})")
    zone = quoted(timezone or "UTC")
    if plan.epoch_seconds:
        seconds = _double(expression, "[0-9]{10}(\\.[0-9]+)?")
        tries.append(f"timezone({zone}, to_timestamp({seconds}))")
    if plan.epoch_milliseconds:
        tries.append(f"timezone({zone}, to_timestamp({_double(expression, '[0-9]{13}')} / 1000))")
    if plan.excel:
        first, last = EXCEL_SERIALS
        days = _double(expression, "[0-9]{5}(\\.[0-9]+)?")
        tries.append(
            f"CASE WHEN {days} BETWEEN {first} AND {last} THEN TIMESTAMP '1899-12-30' + "
            f"to_seconds(CAST(round({days} * 86400) AS BIGINT)) END"
        )
    if not tries:
        return "CAST(NULL AS TIMESTAMP)"
    return f"coalesce({', '.join(tries)})" if len(tries) > 1 else tries[0]


def _double(expression: str, pattern: str) -> str:
    return f"CASE WHEN regexp_full_match({expression}, '{pattern}') THEN try_cast({expression} AS DOUBLE) END"
