"""Timelines to step through: what the page is told, and what a saved notebook shows."""

import pytest

from helpers.measure import this_machine
from helpers.show.palette import LANES
from helpers.show.timelines import Timelines
from helpers.study import Stretch, Timeline


def recorded(label, consumer):
    lanes = ("generator", "waiting", "consumer")[: 2 + consumer]
    stretches = tuple(
        Stretch(lane, row * 10**6 + place * 10**5, row * 10**6 + (place + 1) * 10**5)
        for place, lane in enumerate(lanes)
        for row in range(4)
    )
    return Timeline(label, 4, 4 * 10**6, stretches, this_machine())


def test_the_page_is_told_every_stretch_in_milliseconds():
    shown = Timelines(recorded("a", True), recorded("b", False), title="Who works?")
    told = shown.children[-1].shown
    assert told["longest"] == 4
    assert [lane["name"] for lane in told["timelines"][0]["lanes"]] == [
        "generator",
        "waiting",
        "consumer",
    ]
    assert set(told["colours"]) == set(LANES)
    assert [lane["name"] for lane in told["timelines"][1]["lanes"]] == ["generator", "waiting"]
    waiting = told["timelines"][0]["lanes"][1]
    assert waiting["spans"][2] == [2.1, 2.2]
    assert waiting["busy"] == "10\u00a0%"
    assert told["timelines"][0]["each"] == "1 ms an element"


def test_a_saved_notebook_shows_the_figure():
    shown = Timelines(recorded("a <b>", True), title="Who works?")
    assert "<img" in shown.saved()
    assert "a &lt;b&gt;: 1 ms an element; busy: generator 10" in shown.saved()
    assert repr(shown) == "Timelines: a <b>"


def test_without_a_timeline_it_says_so():
    with pytest.raises(ValueError, match="record one or more"):
        Timelines()
