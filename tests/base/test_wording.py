from datetime import date
from decimal import Decimal

from shuke.base.language import Language
from shuke.base.wording import say_date, say_money, say_month, say_number, say_percent

EN, ZH = Language.ENGLISH, Language.CHINESE


def test_numbers_are_grouped_and_rounded_to_the_asked_digits() -> None:
    assert say_number(1234567.5, EN) == "1,234,568"
    assert say_number(1234.5, ZH, digits=2) == "1,234.50"
    assert say_percent(0.1234, EN) == "12.3%"
    assert say_percent(12.5, EN, digits=0) == "1,250%"


def test_money_carries_its_sign_in_front_and_none_when_the_currency_is_unknown() -> None:
    assert say_money(1234.5, "GBP", EN) == "£1,234"
    assert say_money(Decimal("9747747.93"), "GBP", EN, digits=2) == "£9,747,747.93"
    assert say_money(-12, "CNY", ZH) == "−¥12"
    assert say_money(1234.5, None, EN, digits=1) == "1,234.5"


def test_what_is_below_zero_has_a_minus_sign_and_no_hyphen() -> None:
    for language in (EN, ZH):
        assert say_percent(-0.18, language) == "−18.0%"
        assert say_number(-1234.5, language, digits=1) == "−1,234.5"
        assert say_money(-12, "GBP", language) == "−£12"


def test_dates_read_as_each_language_writes_them() -> None:
    assert say_date(date(2011, 12, 9), EN) == "9 Dec 2011"
    assert say_date(date(2011, 12, 9), ZH) == "2011年12月9日"
    assert say_month(date(2011, 12, 9), EN) == "Dec 2011"
    assert say_month(date(2011, 12, 9), ZH) == "2011年12月"
