"""The graph of a pipeline, drawn from made-up nodes."""

import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from unit.test_show_plots import contrast, darkened, texts

from helpers.diagnose import Node, XRay
from helpers.show import graph
from helpers.show.nodes import _shade

SEEN = XRay(
    (
        Node("Prefetch", 0, 5, 1000, 0, "float32 (None, 3)", 48, "added"),
        Node("MapAndBatch", 1, 5, 10_000_000, 0, "float32 (None, 3)", 48, "fused"),
        Node("Zip", 2, 20, 3000, 0, "float32 (3,), int64 ()", 20),
        Node("FlatMap", 3, 20, 3000, 0, "float32 (3,)", 12),
        Node("FromTensor", 4, 0, 0, 0, "int32 ()", 0),
        Node("Generator", 4, 20, 90_000, 0, "float32 (3,)", 12),
        Node("Range", 3, 20, 200, 0, "int64 ()", 8),
        Node("Range", 3, 20, 100, 0, "int64 ()", 8),
    )
)


def test_a_graph_shows_each_step_once_and_says_what_passes():
    picture = graph(SEEN, title="What runs")
    said = [text for text, _ in texts(picture)]
    for name in ("Prefetch", "MapAndBatch", "Zip", "FlatMap", "FromTensor", "Generator"):
        assert said.count(name) == 1
    assert "Range × 2" in said
    assert {"added by TensorFlow", "fused by TensorFlow", "ran before"} <= set(said)
    assert "2 ms each, 99\u00a0%" in said
    assert said.count("float32 (None, 3), 48 B each") == 2
    assert "MapAndBatch 2 ms each (the busiest), fused by TensorFlow" in picture.alt
    assert "<details>" in picture.html()
    assert "<td>int32 ()</td>" in picture.html()


def test_no_word_of_a_graph_covers_another_or_leaves_it():
    picture = graph(SEEN, title="What runs")
    found = texts(picture)
    width, height = picture.figure.bbox.size
    for place, (one, box) in enumerate(found):
        assert box.x0 >= 0 and box.x1 <= width and box.y0 >= 0 and box.y1 <= height, one
        for other, beside in found[:place]:
            assert not box.overlaps(beside), f"{one!r} covers {other!r}"


def test_no_line_of_a_graph_runs_through_a_word():
    picture = graph(SEEN, title="What runs")
    found = texts(picture)
    patches = [text.arrow_patch for text in picture.figure.axes[0].texts if not text.get_text()]
    assert len(patches) == len(SEEN.nodes) - 1  # two ranges are one node; one goes to the consumer
    for patch in patches:
        line = patch.get_path().transformed(patch.get_transform())
        for word, box in found:
            assert not line.intersects_bbox(box, filled=False), f"a line crosses {word!r}"


@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_words_are_readable_on_every_shade(share):
    shade = _shade(share)
    assert contrast("black", shade) >= 4.5
    assert contrast(darkened("black"), darkened(shade)) >= 4.5
    inks = {text.get_color() for text in graph(SEEN).figure.findobj(Text) if text.get_text()}
    assert {to_rgb(ink) for ink in inks} <= {(0, 0, 0), to_rgb("#6E6E6E")}
