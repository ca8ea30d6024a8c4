import math

import pytest

from helpers.measure import Ratio, judge
from helpers.show.choices import Choices

SPEED = {"slower": 0.95, "no different": 1.05, "faster": math.inf}
SAYS = "it runs at {} of the array's speed"


@pytest.fixture(autouse=True)
def _full(monkeypatch):
    monkeypatch.delenv("WORKBOOK_QUICK")


def plain(*texts):
    """Texts with the space before a unit like any other."""
    return [text.replace("\u00a0", " ") for text in texts]


def test_a_wrong_answer_is_told_in_a_whole_sentence_with_units_and_limits():
    told = Choices(SPEED, says=SAYS).told("no different", Ratio(0.34, 0.31, 0.36, 9))
    assert told == (
        "You said “no different”; it runs at 0.340× [0.310×, 0.360×] of the array's speed, "
        "so “slower” (below 0.95×)."
    )


def test_a_right_answer_is_told_so():
    told = Choices(SPEED, says=SAYS).told("faster", 2.0)
    assert told == "You said “faster”, and so it is: it runs at 2× of the array's speed."


def test_no_answer_is_no_fault():
    told = Choices(SPEED, says=SAYS).told(None, 2.0)
    assert told == "It runs at 2× of the array's speed, so “faster” (1.05× or more)."


def test_an_interval_that_spans_choices_allows_each_of_them():
    choices, spanning = Choices(SPEED, says=SAYS), Ratio(1.1, 0.97, 1.2, 9)
    assert choices.allowed(spanning) == ["no different", "faster"]
    told = choices.told("faster", spanning)
    assert "and so it may be" in told
    assert "“no different” (0.95 to 1.05×) or “faster” (1.05× or more)" in told
    assert choices.told("slower", spanning).startswith("You said “slower”; it runs")


@pytest.mark.parametrize(
    ("ratio", "right", "unclear"),
    [
        (Ratio(0.8, 0.7, 0.94, 9), ["slower", "no different"], True),
        (Ratio(0.91, 0.9, 0.92, 9), ["slower", "no different"], True),
        (Ratio(0.5, 0.4, 0.6, 9), ["slower"], False),
    ],
)
def test_what_the_noise_hides_is_told_so(ratio, right, unclear):
    choices, floor = Choices(SPEED, says=SAYS), Ratio(0.9, 0.88, 1.04, 9)
    found = judge("tensor", "array", ratio, floor, 0.04)
    assert choices.allowed(found) == right
    told = choices.told(None, found)
    assert told.startswith(f"It runs at {ratio} of the array's speed, ")
    noise = "which this run cannot tell from no difference (its noise is 0.880× to 1.04×), so"
    assert (noise in told) is unclear
    assert choices.written(found) == str(ratio)


def test_a_label_that_says_its_limits_is_not_told_twice():
    ends = {"less than half": 0.5, "half to nine tenths": 0.9, "0.9 to 2×": 2, "more than 2×": 3}
    choices = Choices({**ends, "more": math.inf}, says="{}")
    assert choices.limits == ("", "0.5 to 0.9×", "", "2 to 3×", "3× or more")
    shares = Choices({"below 5 %": 0.05, "up to 25 %": 0.25, "more": math.inf}, unit="%", says="{}")
    assert plain(*shares.limits) == ["", "5 to 25 %", "25 % or more"]
    assert plain(shares.told(None, 0.01)) == ["1 %, so “below 5 %”."]


def test_an_end_belongs_to_the_choice_above():
    assert Choices(SPEED, says=SAYS).allowed(1.05) == ["faster"]


def test_the_limits_are_in_the_unit():
    shares = Choices({"hardly any": 0.05, "some": 0.25, "many": math.inf}, unit="%", says="{}")
    assert plain(*shares.limits) == ["below 5 %", "5 to 25 %", "25 % or more"]
    assert plain(shares.written(0.218)) == ["22 %"]
    sleep = Choices({"short": 20, "long": math.inf}, unit="µs", says="it takes {}")
    assert plain(*sleep.limits) == ["below 20 µs", "20 µs or more"]
    (told,) = plain(sleep.told("short", 63.2))
    assert told == "You said “short”; it takes 63.2 µs, so “long” (20 µs or more)."


def test_words_stand_in_the_sentence_and_need_no_conclusion():
    choices = Choices(["the sleep", "the crossing"], says="the largest part is {}")
    assert choices.limits == ("", "")
    told = choices.told("the sleep", "the crossing")
    assert told == "You said “the sleep”; the largest part is the crossing."
    told = choices.told("the crossing", "the crossing")
    assert told == "You said “the crossing”, and so it is: the largest part is the crossing."


def test_a_quick_run_settles_nothing(monkeypatch):
    monkeypatch.setenv("WORKBOOK_QUICK", "1")
    told = Choices(SPEED, says=SAYS).told("faster", 2.0)
    assert told.endswith("This was a quick run: its numbers show nothing.")


@pytest.mark.parametrize("found", ["other", math.nan])
def test_what_no_choice_covers_is_refused(found):
    choices = Choices(["this", "that"] if found == "other" else SPEED, says="{}")
    with pytest.raises(ValueError, match=f"no choice of .* covers {found}"):
        choices.told(None, found)


@pytest.mark.parametrize("ends", [(1, 2), (2, 1), (math.inf, 1), (1, 1)])
def test_choices_that_leave_a_value_without_an_answer_are_refused(ends):
    with pytest.raises(ValueError, match="must ascend, the last to infinity"):
        Choices(dict(zip("ab", ends, strict=True)), says="{}")


def test_one_choice_is_none():
    with pytest.raises(ValueError, match="two choices"):
        Choices(["only"], says="{}")
