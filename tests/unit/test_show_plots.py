import functools
import itertools
import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib._pylab_helpers import Gcf
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.text import Text
from unit.fakes import FakeMachine

from helpers.measure import Ratio, Settings, compare, this_machine, together
from helpers.show import figure, listed, palette, plots
from helpers.show.axes import foot
from helpers.show.palette import styles
from helpers.show.picture import DARKENED
from helpers.study import EXAMPLES, Stretch, Timeline

LONG = "a name as long as the label of a pipeline with most of its toggles set, number"


def measured(costs, title="", **settings):
    """A comparison on a fake clock; costs in µs per example, by name."""
    machine = FakeMachine(drift=0.05, noise=0.02, seed=1)
    arms = [machine.arm(name, cost * 1e3, build=1e6, open_=3e6) for name, cost in costs.items()]
    settings = Settings(**{"min_rounds": 8, "max_rounds": 8, **settings})
    return compare(arms, title=title, settings=settings, clock=machine.clock)


def on_a_long_name(result):
    processor = "Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz, as long as they come"
    return replace(result, machine=replace(result.machine, processor=processor))


def ladder(count):
    return {f"{LONG} {index}": 100 * 1.5**index for index in range(count)}


def recorded(label="generator + rand", consumer=True):
    lanes = ("generator", "waiting", "consumer") if consumer else ("generator", "waiting")
    stretches = tuple(
        Stretch(lane, index * 10**6 + place * 2 * 10**5, index * 10**6 + (place + 1) * 2 * 10**5)
        for place, lane in enumerate(lanes)
        for index in range(10)
    )
    return Timeline(label, 10, 10**7, stretches, this_machine())


def texts(picture):
    """The texts that are drawn, with their boxes in pixels."""
    canvas = FigureCanvasAgg(picture.figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    ax = picture.figure.axes[0]
    ticks = {
        id(label)
        for axis in (ax.xaxis, ax.yaxis)
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]
        for label in (tick.label1, tick.label2)
    }
    shown = {
        id(label)
        for axis in (ax.xaxis, ax.yaxis)
        for tick in axis._update_ticks()
        for label in (tick.label1,)
    }
    found = []
    for text in picture.figure.findobj(Text):
        hidden = id(text) in ticks and id(text) not in shown
        if text.get_text() and text.get_visible() and not hidden:
            found.append((text.get_text(), text.get_window_extent(renderer)))
    return found


STACKED = {
    "from_generator, as most write it": {"the generator's next()": 47, "crossing": 160, "rest": 3},
    "from_tensor_slices": {"rest": 8.0},
}
DRAWN = {
    "ratios": lambda: figure(plots.ratios, measured(ladder(2))),
    "ratios, many": lambda: figure(
        plots.ratios, measured(ladder(10), title="A question that takes more than one line " * 3)
    ),
    "ratios, equal": lambda: figure(plots.ratios, measured({"one": 100, "other": 100.5})),
    "ratios, alone": lambda: figure(plots.ratios, measured({"one": 100})),
    "ratios, far": lambda: figure(
        plots.ratios, on_a_long_name(measured({"one": 1, "other": 900}, quick=True))
    ),
    "trials": lambda: figure(plots.trials, measured(ladder(2), title="A question")),
    "trials, many": lambda: figure(plots.trials, measured(ladder(10))),
    "cold": lambda: figure(plots.cold, measured(ladder(3), title="A question")),
    "cold, many": lambda: figure(plots.cold, measured(ladder(10))),
    "stacked": lambda: figure(plots.stacked, STACKED, provenance="A machine, 2 cores"),
    "stacked, many": lambda: figure(
        plots.stacked, {LONG: {f"part {index} of the way": 10 + index for index in range(8)}}
    ),
    "timeline": lambda: figure(plots.timeline, recorded(), recorded(LONG, consumer=False)),
    "timeline, three": lambda: figure(plots.timeline, *[recorded(LONG)] * 3),
}


DARK = "#111111"
"""JupyterLab's dark page."""


@functools.cache
def drawn(name):
    return DRAWN[name]()


def darkened(colour):
    """What `picture.DARKENED` makes of a colour.

    Source: https://www.w3.org/TR/filter-effects-1/#feColorMatrixElement
    """
    share = float(re.search(r"invert\(([\d.]+)\)", DARKENED)[1])
    inverted = share + (1 - 2 * share) * np.array(to_rgb(colour))
    turn = [[-0.574, 1.430, 0.144], [0.426, 0.430, 0.144], [0.426, 1.430, -0.856]]
    return np.clip(turn @ inverted, 0, 1)


def contrast(one, other):
    """Source: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio"""
    dark, light = sorted(luminance(colour) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour):
    parts = np.array(to_rgb(colour))
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def least_contrast(colour):
    return min(contrast(colour, "white"), contrast(darkened(colour), DARK))


@pytest.mark.parametrize("colour", [*palette._ORDER, palette.GREY, palette.MID])
def test_every_mark_is_seen_on_a_light_page_and_on_a_dark_one(colour):
    assert least_contrast(colour) >= 3
    if colour != palette.BLACK:  # the report draws black in the colour of its text
        assert contrast(colour, "#16181b") >= 3


def test_white_paper_becomes_the_dark_page():
    assert darkened("white") == pytest.approx(to_rgb(DARK), abs=0.004)


@pytest.mark.parametrize("name", DRAWN)
def test_every_text_can_be_read_and_every_bar_seen(name):
    picture = drawn(name)
    boxes = texts(picture)
    for text in picture.figure.findobj(Text):
        if text.get_text().strip():
            assert least_contrast(text.get_color()) >= 4.5, text.get_text()
    for bar in picture.figure.axes[0].patches:
        shades = {to_hex(bar.get_facecolor()), to_hex(bar.get_edgecolor())}
        if palette.BAND.lower() in shades:
            continue
        assert max(map(least_contrast, shades)) >= 3
        covered = [text for text, box in boxes if box.overlaps(bar.get_window_extent())]
        assert not covered, f"{covered} on a colour"


@pytest.mark.parametrize("low", [0.3, 0.62, 0.9, 0.97])
@pytest.mark.parametrize("span", [1.06, 1.5, 2.4, 4, 30, 1000])
def test_labels_of_an_axis_keep_apart(low, span):
    one = Ratio(1.0, low, low * span, 5)
    picture = figure(plots.ladder, [plots.Rung("an arm of a long name", one, one, "")], "a machine")
    shown = [label for label in picture.figure.axes[0].get_xticklabels() if label.get_text()]
    picture.figure.draw_without_rendering()
    assert len(shown) >= 2
    for left, right in itertools.pairwise(label.get_window_extent() for label in shown):
        assert right.x0 - left.x1 > 4


def test_a_name_is_broken_between_its_words_only():
    picture = figure(
        plots.ratios, measured({"base": 1, "a thread-pool_of_a_long_name to break": 2})
    )
    shown = picture.figure.axes[0].get_yticklabels()[1].get_text()
    assert shown.split("\n") == ["a", "thread-pool_of_a_long_name", "to break"]


@pytest.mark.parametrize("name", DRAWN)
def test_no_text_covers_another_or_leaves_the_figure(name):
    picture = drawn(name)
    found = texts(picture)
    assert len(found) > 5
    width, height = picture.figure.bbox.size
    for text, box in found:
        assert box.x0 >= 0 and box.x1 <= width, f"{text!r} is cut at a side"
        assert box.y0 >= 0 and box.y1 <= height, f"{text!r} is cut above or below"
    for (one, box), (other, beside) in itertools.combinations(found, 2):
        across = min(box.x1, beside.x1) - max(box.x0, beside.x0)
        down = min(box.y1, beside.y1) - max(box.y0, beside.y0)
        assert across < 1 or down < 1, f"{one!r} covers {other!r}"


def test_ratios_show_intervals_floor_and_provenance():
    result = measured({"base": 100, "slow": 200, "same": 101}, title="Which?")
    picture = figure(plots.ratios, result)
    ax = picture.figure.axes[0]
    assert ax.get_xscale() == "log"
    assert [label.get_text() for label in ax.get_yticklabels()] == ["base", "slow", "same"]
    lines = {tuple(line.get_xdata()) for line in ax.lines}
    for arm in ("slow", "same"):
        ratio = result.ratio(arm)
        assert (ratio.low, ratio.high) in lines
        assert str(ratio) in picture.alt
    band = ax.patches[0].get_extents().transformed(ax.transData.inverted())
    assert band.x0 == pytest.approx(result.floor().low)
    assert band.x1 == pytest.approx(result.floor().high)
    said = " ".join(text for text, _ in texts(picture))
    assert result.provenance in said.replace("\n", " ")
    assert "Which?" in said
    marks = {tuple(line.get_ydata()): line for line in ax.lines if len(line.get_xdata()) == 1}
    assert to_hex(marks[(1,)].get_markerfacecolor()) == styles(["slow"])["slow"].colour.lower()
    assert to_hex(marks[(2,)].get_markerfacecolor()) == "#ffffff"  # not clear of the noise


def test_rows_of_one_pipeline_look_the_same_in_a_ladder():
    one = Ratio(2.0, 1.9, 2.1, 5)
    of = (("CSV: bridge", "bridge"), ("text: bridge", "bridge"), ("CSV: torch", "torch"))
    rows = [plots.Rung(name, one, Ratio(1, 1, 1, 5), "", pipeline) for name, pipeline in of]
    ax = figure(plots.ladder, rows, "a machine").figure.axes[0]
    first, second, third = (
        (line.get_markeredgecolor(), line.get_marker())
        for line in ax.lines
        if len(line.get_xdata()) == 1
    )
    assert first == second != third


def test_each_row_of_a_ladder_is_judged_by_the_noise_of_its_own_run():
    quiet, noisy = (
        compare(
            [machine.arm("off", 1e5), machine.arm("on", 9.4e4)],
            settings=Settings(min_rounds=12, max_rounds=12),
            clock=machine.clock,
        )
        for machine in (FakeMachine(noise=0.005, seed=2), FakeMachine(noise=0.3, seed=2))
    )
    named = {"quiet": quiet, "noisy": noisy}
    for order in (("quiet", "noisy"), ("noisy", "quiet")):  # whichever comes last
        rows = [plots.rung(named[name], "on", name) for name in order]
        ax = figure(plots.ladder, rows, "a machine").figure.axes[0]
        marks = {line.get_ydata()[0]: line for line in ax.lines if len(line.get_xdata()) == 1}
        for y, name in enumerate(order):
            hollow = to_hex(marks[y].get_markerfacecolor()) == "#ffffff"
            assert hollow == (named[name].verdict("on").kind not in ("faster", "slower"))
            assert hollow == (name == "noisy")
            band = ax.patches[y]
            assert band.get_x() == pytest.approx(named[name].floor().low)
            assert band.get_x() + band.get_width() == pytest.approx(named[name].floor().high)


def test_trials_show_every_trial():
    result = measured({"base": 100, "slow": 200})
    ax = figure(plots.trials, result).figure.axes[0]
    drawn = sum(len(line.get_xdata()) for line in ax.lines)
    assert drawn == len(result.trials)
    assert min(ax.lines[0].get_xdata()) == 0  # the warm-up round
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["slow", "base"]  # in the order in which the lines end


def test_trials_speak_of_a_warm_up_only_where_there_is_one():
    with_one, without = (
        figure(plots.trials, measured({"base": 100, "slow": 200}, warmup_rounds=count))
        for count in (1, 0)
    )
    assert "warm-up" in with_one.figure.axes[0].get_xlabel()
    assert "warm-up" not in without.figure.axes[0].get_xlabel()


def test_what_ran_it_is_broken_after_a_comma_only():
    def draw(ax):
        foot(ax, ", ".join(["a part of many words"] * 5))
        return ax

    (text,) = figure(draw, height=2).figure.axes[0].texts
    lines = text.get_text().split("\n")
    assert [line.count("many words") for line in lines] == [3, 2]
    assert lines[0].endswith("words,")


def test_cold_is_the_cold_start_before_the_steady_state():
    result = measured({"base": 100})
    cold, steady = figure(plots.cold, result).figure.axes[0].patches
    assert cold.get_width() == pytest.approx(result.cold_ns("base") / 1e6)
    assert steady.get_x() == cold.get_width()


def test_stacked_names_every_part():
    picture = figure(plots.stacked, STACKED)
    ax = picture.figure.axes[0]
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["the generator's next()", "crossing", "rest"]
    assert "crossing 160" in picture.alt
    assert ax.get_xlim() == (0, 210)


def test_a_timeline_has_a_lane_for_each_that_is_there():
    picture = figure(plots.timeline, recorded(), recorded("slices", consumer=False))
    lanes = [label.get_text() for label in picture.figure.axes[0].get_yticklabels()]
    assert lanes == [
        f"{lane} 20\u00a0%" for lane in ("generator", "waiting", "consumer", "generator", "waiting")
    ]


def test_an_arm_keeps_its_colour_and_a_figure_repeats_none():
    first = styles(["new one", "new two"])
    second = styles(["new two", "new three", "new one"])
    assert second["new one"] == first["new one"] and second["new two"] == first["new two"]
    assert len({style.colour for style in second.values()}) == 3
    many = styles([f"of many {index}" for index in range(20)])
    assert len(set(many.values())) == 20


def test_the_articles_arms_have_fixed_colours():
    assert len({style.colour for style in styles(list(EXAMPLES)).values()}) == len(EXAMPLES)
    for name, options in EXAMPLES.items():
        assert styles([name])[name] == styles([options.label])[options.label]


def test_a_picture_is_the_same_each_time_and_tells_nothing_of_the_machine():
    result = measured({"base": 100, "slow": 200})
    one, two = figure(plots.ratios, result), figure(plots.ratios, result)
    assert one.svg() == two.svg()
    assert one.png() == two.png()
    assert b"<dc:date>" not in one.svg()
    assert b"/work" not in one.svg() and b"/home" not in one.svg()


def test_a_picture_carries_its_words():
    result = measured({"base <b>": 100, "slow": 200})
    picture = figure(plots.ratios, result)
    bundle = picture._repr_mimebundle_()
    assert bundle["text/plain"] == picture.alt
    assert 'src="data:image/png;base64,' in bundle["text/html"]
    assert "base &lt;b&gt;: 1× (baseline)" in bundle["text/html"]


def test_a_picture_is_saved_by_its_ending(tmp_path):
    picture = figure(plots.ratios, measured({"base": 100, "slow": 200}))
    assert picture.save(tmp_path / "a.svg").read_bytes().startswith(b"<?xml")
    assert picture.save(tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match=r"a\.jpg must end in \.svg or \.png"):
        picture.save(tmp_path / "a.jpg")


def test_no_figure_stays_behind():
    figure(plots.ratios, measured({"base": 100, "slow": 200})).png()
    assert not Gcf.figs


def test_the_warm_up_of_every_process_is_grey():
    settings = {"min_rounds": 2, "max_rounds": 2}
    parts = [measured({"a": 10, "b": 20}, **settings) for _ in range(3)]
    ax = figure(plots.trials, together(parts, Settings(**settings))).figure.axes[0]
    bands = sorted(band.get_x() for band in ax.patches)
    assert bands[1:] == [2.5, 5.5]  # three rounds each: before them, in the third and the sixth


def test_words_in_a_table_stand_at_the_left():
    shown = listed(
        {"naive": {"it says": "a < b", "counts": "68 %"}, "best": {"it says": "", "counts": ""}}
    )
    assert shown.data.count("<tr>") == 3
    assert shown.data.count("text-align:left") == 8
    assert "a &lt; b" in shown.data
