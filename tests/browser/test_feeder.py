"""The panel that feeds a model as a reader meets it: guess, train, another choice, cancel."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

CELL = """
import numpy as np
from helpers.quiet import tf
from helpers.show.feeder import Feeder
from helpers.study.feeding import Feed, table_model

ROWS = np.zeros((64, 4), np.float32)
SPEC = tf.TensorSpec((4,), tf.float32), tf.TensorSpec((), tf.int32)

def rows():
    for row in ROWS:
        yield row, np.int32(0)

Feeder(Feed(rows, SPEC, 8), lambda width: table_model(4, 2, width), (8, 512), steps=8, title="Feed")
"""

ANSWER_MS = 60_000


def test_guess_train_choose_again_and_cancel(scratch):
    book = scratch(CELL)
    place = book.page.locator(".wb-feeder")
    train, cancel = (place.locator(f"button.wb-{name}") for name in ("train", "cancel"))
    message = place.locator(".wb-message")
    expect(train).to_be_disabled()
    place.get_by_label("the data: the model waits").check()
    train.click()
    expect(message).to_contain_text("it waits", timeout=ANSWER_MS)
    expect(place.locator(".wb-figure img")).to_have_count(1)

    place.locator(".wb-way select").select_option(label="chunked")
    expect(place.get_by_label("the data: the model waits")).not_to_be_checked()
    expect(train).to_be_disabled()
    place.get_by_label("both, for the same cores").check()
    train.click()
    cancel.click()
    expect(message).to_contain_text("nothing was concluded", timeout=ANSWER_MS)
    expect(train).to_be_enabled()
