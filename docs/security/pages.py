"""The map of OWASP ASVS as pages in both languages, made of asvs.toml: ``python docs/security/pages.py``."""

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGES = {"en": HERE / "asvs.md", "zh": HERE.parent / "zh-CN" / "security" / "asvs.md"}
KINDS = ("test", "setting", "exempt", "open")
WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "Shuke and OWASP ASVS 5.0",
        "other": "[简体中文](../zh-CN/security/asvs.md)",
        "intro": "How Shuke stands to each of the {all} requirements of levels 1 and 2 of the [OWASP Application"
        " Security Verification Standard 5.0.0](https://github.com/OWASP/ASVS), by its number; what it is about is said"
        " in our own words. The founders have looked at their own work: nobody else has verified it."
        " [Security](../guide/security.md) says how things are done.",
        "made": "This page is made of [asvs.toml](asvs.toml); a test looks whether all that it names is there.",
        "test": "by a test",
        "setting": "by a setting or in writing",
        "exempt": "exempt, for a reason",
        "open": "open",
        "chapter": "Chapter",
        "sum": "All",
        "missing": "What is open",
        "number": "Number",
        "level": "Level",
        "about": "About",
        "how": "How",
        "stop": ". ",
    },
    "zh": {
        "title": "熟客与 OWASP ASVS 5.0",
        "other": "[English](../../security/asvs.md)",
        "intro": "[OWASP 应用安全验证标准 5.0.0](https://github.com/OWASP/ASVS) 一级和二级共 {all} 项要求，"
        "熟客逐项的情况；要求以编号表示，内容用我们自己的话概括。这是作者对自己工作的检查，没有经过他人验证。"
        "做法见[安全](../guide/security.md)。",
        "made": "本页由 [asvs.toml](../../security/asvs.toml) 生成；有测试检查其中所列的内容都存在。",
        "test": "由测试证明",
        "setting": "由设置或文档满足",
        "exempt": "有理由地豁免",
        "open": "未满足",
        "chapter": "章节",
        "sum": "合计",
        "missing": "未满足的要求",
        "number": "编号",
        "level": "级别",
        "about": "内容",
        "how": "如何",
        "stop": "。",
    },
}


def read() -> dict[str, Any]:
    """The map as it is written."""
    return tomllib.loads((HERE / "asvs.toml").read_text(encoding="utf-8"))


def kind_of(requirement: dict[str, Any]) -> str:
    """How a requirement stands: what is missing of it counts before what there is."""
    if "open" in requirement or "exempt" in requirement:
        return "open" if "open" in requirement else "exempt"
    return "test" if "tests" in requirement else "setting"


def page(known: dict[str, Any], language: str) -> str:
    """The page in one of the languages."""
    words, requirements = WORDS[language], known["requirements"]
    lines = [f"# {words['title']}", "", words["other"], "", words["intro"].format(all=len(requirements)), ""]
    lines += [words["made"], "", *_counts(known, language), "", f"## {words['missing']}", ""]
    for number, one in requirements.items():
        if kind_of(one) == "open":
            lines.append(f"- **V{number}** (L{one['level']}), {one[language]}: {one['open'][language]}")
    for chapter, title in known["chapters"].items():
        lines += ["", f"## V{chapter} {title[language]}", ""]
        lines += _table([words[name] for name in ("number", "level", "about", "how")])
        for number, one in requirements.items():
            if number.partition(".")[0] == chapter:
                lines.append(_row([number, str(one["level"]), one[language], _how(known, one, language)]))
    return "\n".join(lines) + "\n"


def _counts(known: dict[str, Any], language: str) -> list[str]:
    words = WORDS[language]
    lines = _table([words["chapter"], *(words[kind] for kind in KINDS)])
    whole: Counter[str] = Counter()
    for chapter, title in known["chapters"].items():
        mine = [one for number, one in known["requirements"].items() if number.partition(".")[0] == chapter]
        found = Counter(kind_of(one) for one in mine)
        whole += found
        lines.append(_row([f"V{chapter} {title[language]}", *(str(found[kind]) for kind in KINDS)]))
    return [*lines, _row([words["sum"], *(str(whole[kind]) for kind in KINDS)])]


def _how(known: dict[str, Any], one: dict[str, Any], language: str) -> str:
    words, kind = WORDS[language], kind_of(one)
    said = [f"**{words[kind]}**" if kind == "open" else words[kind]]
    for name in ("open", "exempt", "note"):
        if name in one:
            reason = known["reasons"][one[name]] if isinstance(one[name], str) else one[name]
            said.append(reason[language].rstrip(".。"))
    places = [*one.get("tests", ()), *(place.partition(": ")[0] for place in one.get("files", ()))]
    text = words["stop"].join(said) + words["stop"].rstrip()
    return f"{text} {', '.join(f'`{place}`' for place in dict.fromkeys(places))}".strip()


def _table(names: list[str]) -> list[str]:
    return [_row(names), "|" + "---|" * len(names)]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    for each, path in PAGES.items():
        path.write_text(page(read(), each), encoding="utf-8")
