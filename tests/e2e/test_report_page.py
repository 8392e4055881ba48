"""The report's page in a real browser: on a desk, on a phone, on paper, without scripts, under attack."""

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from shuke.base.language import Language
from shuke.reports.exports.html import write_html

DRAW_ALL = """(async () => {
  for (const figure of document.querySelectorAll('figure')) {
    figure.scrollIntoView({behavior: 'instant'});
    for (let tries = 0; !figure.classList.contains('drawn'); tries += 1) {
      if (tries > 1000) return figure.id;
      await new Promise(done => setTimeout(done, 20));
    }
  }
  scrollTo({top: 0, behavior: 'instant'});
  return '';
})()"""
TOO_WIDE = """[...document.querySelectorAll('main *')]
  .filter(element => !element.closest('.scroll, .live[tabindex]'))
  .filter(element => element.getBoundingClientRect().right > innerWidth + 1)
  .map(element => element.tagName + '.' + element.getAttribute('class'))"""


@pytest.fixture(scope="module", params=list(Language), ids=lambda language: language.value)
def page(request: pytest.FixtureRequest, sample_module: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_html(sample_module.sample(request.param), path)
    return path


@pytest.mark.parametrize("width", [360, 390, 1280])
def test_it_draws_everything_quietly_and_fits(browser: Any, page: Path, width: int) -> None:
    browser.open(page.as_uri(), width=width)
    assert browser.evaluate(DRAW_ALL) == ""
    assert browser.console == []
    assert [url for url in browser.requests if not url.startswith("data:")] == [page.as_uri()]
    assert browser.evaluate("document.documentElement.scrollWidth") == width
    assert browser.evaluate(TOO_WIDE) == []


def test_heatmaps_keep_their_numbers_on_a_phone(browser: Any, page: Path) -> None:
    browser.open(page.as_uri(), width=390)
    assert browser.evaluate(DRAW_ALL) == ""
    for figure in ("figure-3-2", "figure-4-4", "figure-4-5"):
        cells, numbers, smallest = browser.evaluate(f"""(() => {{
          const find = mark => [...document.querySelectorAll('#{figure} .live .mark-' + mark + '.role-mark > *')];
          const inside = find('rect').map(cell => cell.getBoundingClientRect().width);
          return [inside.length, find('text').length, Math.min(...inside)];
        }})()""")
        assert cells == numbers > 0, figure
        assert smallest >= 20, figure
    wide = "document.querySelector('#figure-4-5 .live')"
    assert browser.evaluate(f"{wide}.scrollWidth > {wide}.clientWidth && {wide}.tabIndex === 0") is True


def test_no_name_became_code(browser: Any, page: Path) -> None:
    browser.open(page.as_uri(), width=1280)
    assert browser.evaluate("document.querySelectorAll('script').length") == browser.evaluate(
        "document.querySelectorAll('figure').length + 2"
    )
    assert browser.evaluate("document.querySelectorAll('[onerror], iframe, object, embed').length") == 0
    assert browser.evaluate("document.querySelector('main').innerText.includes('<script>alert')") is True


def test_a_script_that_got_in_would_not_run(browser: Any, page: Path) -> None:
    # The planted fault: a script in the page that is not one of the two.
    faulty = page.with_name("faulty.html")
    text = page.read_text(encoding="utf-8")
    faulty.write_text(text.replace("</main>", "<script>window.broken = 1</script></main>"), encoding="utf-8")
    browser.open(faulty.as_uri(), width=1280)
    assert browser.evaluate("window.broken === undefined") is True
    assert any("Content Security Policy" in line for line in browser.console)
    # And without the policy it does run, so this test can fail.
    faulty.write_text(re.sub(r"<meta http-equiv[^>]*>", "", faulty.read_text(encoding="utf-8")), encoding="utf-8")
    browser.open(faulty.as_uri(), width=1280)
    assert browser.evaluate("window.broken") == 1


def test_a_request_that_got_in_would_be_noticed(browser: Any, page: Path) -> None:
    # The planted fault: an image from elsewhere (a closed port of this machine), and no policy against it.
    faulty = page.with_name("leaking.html")
    text = re.sub(r"<meta http-equiv[^>]*>", "", page.read_text(encoding="utf-8"))
    faulty.write_text(text.replace("</main>", "<img src='http://127.0.0.1:9/x.png'></main>"), encoding="utf-8")
    browser.open(faulty.as_uri(), width=1280)
    assert "http://127.0.0.1:9/x.png" in browser.requests


def test_tooltips_say_what_the_tables_say(browser: Any, page: Path) -> None:
    browser.open(page.as_uri(), width=1280)
    assert browser.evaluate(DRAW_ALL) == ""
    browser.evaluate("document.getElementById('figure-2-2').scrollIntoView({block: 'center', behavior: 'instant'})")
    spot = browser.evaluate("""(() => {
      const bar = document.querySelector('#figure-2-2 .live svg .mark-rect path').getBoundingClientRect();
      return [bar.x + bar.width / 2, bar.y + bar.height / 2];
    })()""")
    for shift in (-2, 0):
        browser.call("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": spot[0] + shift, "y": spot[1]})
    browser.wait_for("document.querySelector('#vg-tooltip-element.visible') !== null", seconds=10)
    tip = browser.evaluate("document.querySelector('#vg-tooltip-element').innerText")
    cells = browser.evaluate(
        "[...document.querySelectorAll('#figure-2-2 tbody tr:first-child td')].map(c => c.textContent)"
    )
    assert all(cell in tip for cell in cells), (tip, cells)


def test_paper_shows_pictures(browser: Any, page: Path) -> None:
    browser.open(page.as_uri(), width=1280)
    assert browser.evaluate(DRAW_ALL) == ""
    browser.call("Emulation.setEmulatedMedia", {"media": "print"})
    shown = "[...document.querySelectorAll('{0}')].map(e => getComputedStyle(e).display).every(d => {1})"
    try:
        assert browser.evaluate(shown.format(".still", "d === 'block'")) is True
        assert browser.evaluate(shown.format(".live", "d === 'none'")) is True
        assert browser.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    finally:
        browser.call("Emulation.setEmulatedMedia", {"media": ""})


def test_without_scripts_every_picture_is_there(browser: Any, page: Path) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(page.as_uri(), width=390)
        sizes = browser.evaluate("[...document.querySelectorAll('.still')].map(i => i.naturalWidth * i.clientWidth)")
        assert len(sizes) == 14
        assert all(sizes)
        assert browser.evaluate("document.documentElement.scrollWidth") == 390
    finally:
        browser.call("Emulation.setScriptExecutionDisabled", {"value": False})


def test_the_keyboard_finds_its_way(browser: Any, page: Path) -> None:
    browser.open(page.as_uri(), width=1280)
    browser.call(
        "Input.dispatchKeyEvent", {"type": "rawKeyDown", "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
    )
    assert browser.evaluate("document.activeElement.className") == "skip"
    assert browser.evaluate("document.activeElement.getBoundingClientRect().left") >= 0
    unnamed = "[...document.querySelectorAll('[tabindex], [role=img]')].filter(e => !e.ariaLabel).length"
    assert browser.evaluate(unnamed) == 0
