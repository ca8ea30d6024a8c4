"""What the doctor says of subjects, in quick mode: causes by data and source, never by speed."""

import collections
import io
import threading
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import psutil
import pytest
from doctor.subjects import CASES

from helpers.diagnose import examine, fixing, looking
from helpers.diagnose.advice import rewrites
from helpers.diagnose.guard import Deadline, Stuck, limited
from helpers.diagnose.hazards import Evidence, find
from helpers.diagnose.law import Coefficients
from helpers.diagnose.looking import Look, look
from helpers.diagnose.profile import Line
from helpers.diagnose.signature import check, propose, text_of
from helpers.diagnose.subject import resolve
from helpers.diagnose.trying import _arm, _same
from helpers.measure import Cancelled, load, run_trial, save
from helpers.quiet import tf

DATA = [case for case in CASES if not {"crossing", "holds-gil", "waits", "frees-gil", "steps",
                                       "consumer", "gil"} & set(case.first)]  # fmt: skip
SPEC = tf.TensorSpec((2,), tf.float32)


def _rows():
    for index in range(200):
        yield np.full(2, index, np.float32)


@pytest.mark.parametrize("case", DATA, ids=lambda case: case.name)
def test_what_loses_or_changes_data_comes_first(case):
    subject, how = case.make()
    found = examine(subject, budget_s=6, **how)
    assert found.first in case.first
    assert found.code in (1, 2) and not found.healthy
    assert str(found) and found._repr_html_()


def test_there_are_thirty_subjects_and_the_doctor_knows_none_of_their_names():
    from pathlib import Path

    import helpers.diagnose

    sources = [p.read_text() for p in Path(helpers.diagnose.__file__).parent.rglob("*.py")]
    assert len(CASES) >= 30
    for case in CASES:
        assert not any(case.name in text for text in sources if len(case.name) > 6)


def test_a_healthy_answer_goes_to_a_file_and_back(tmp_path):
    found = examine(_rows, output_signature=SPEC, budget_s=6)
    again = load(save(found, tmp_path / "d.json"))
    assert again == found
    with pytest.raises(ValueError, match="read back"):
        again.try_fix(1)
    with pytest.raises(ValueError, match="no advice 9"):
        found.try_fix(9)
    assert "<table" in found.save_html(tmp_path / "d.html").read_text()


def test_a_fix_is_applied_and_yields_the_same_rows():
    found = examine(_rows, output_signature=SPEC, budget_s=6)
    names = [one.name for one in found.advice]
    tried = found.try_fix(names.index("bridge") + 1, budget_s=1)
    assert tried.same == "in order"


def _lines():
    for index in range(200):
        yield np.full(index % 5, index, np.int32)


class _Lines:
    def __len__(self):
        return 200

    def __getitem__(self, index):
        return np.full(index % 5, index, np.int32)


@pytest.mark.parametrize("subject", [_lines, _Lines()], ids=["generator", "sequence"])
def test_rows_that_differ_in_length_are_timed_and_mended_in_padded_batches(subject):
    found = examine(subject, budget_s=6)
    assert found.rounds and found.cause != "unmeasured"
    place = [one.name for one in found.advice].index("bridge")
    assert 'varying="pad"' in found.advice[place].code
    assert found.try_fix(place + 1, budget_s=1).same == "in order"


def test_a_generator_that_ends_with_the_last_row_looked_at_was_seen_whole():
    for count, ended in ((looking.ROWS, True), (looking.ROWS + 1, False)):
        seen = Look()
        look(lambda count=count: iter(range(count)), seen, Deadline(5), file="", once=True)
        assert (seen.count, seen.ended) == (looking.ROWS, ended)


def test_a_cure_of_rows_that_were_wrong_is_not_blamed_for_other_rows():
    row = np.zeros(3, np.float32)[1:]

    def filled():
        for index in range(200):
            row[:] = index
            yield row

    found = examine(filled, output_signature=SPEC, budget_s=6)
    other = tf.data.Dataset.from_tensors(tf.zeros((32, 2))).repeat(20)
    said = str(found.try_fix(1, lambda: other, budget_s=1))
    assert "the original is at fault" in said and "no fix" not in said


def _late():
    for index in range(looking.ROWS + 900):
        if index == looking.ROWS + 850:
            raise KeyError("label")
        yield np.full(2, index, np.float32)


def test_an_exception_beyond_the_rows_that_were_looked_at_is_theirs_with_its_element():
    found = examine(_late, output_signature=SPEC, batch_size=1000, budget_s=6)
    assert found.code == 2 and found.first == "raises"
    assert (found.failure.kind, found.failure.index) == ("KeyError", looking.ROWS + 850)
    assert "test_doctor_examine.py" in found.failure.where


def _takes_nothing():
    return 1


@pytest.mark.parametrize("consumer", [_takes_nothing, lambda one, two: None])
def test_a_consumer_that_refuses_a_batch_is_said_in_a_sentence(consumer):
    found = examine(_rows, output_signature=SPEC, consumer=consumer, budget_s=6)
    assert found.code == 2 and found.failure is None
    assert "is called with one batch (here of shape (32, 2)) and raised TypeError" in found.sentence


def test_a_model_of_another_shape_is_said_in_a_sentence():
    model = tf.keras.Sequential([tf.keras.layers.Input((10,)), tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    found = examine(_rows, output_signature=SPEC, consumer=model, budget_s=6)
    assert found.code == 2 and "incompatible" in found.sentence
    assert "\x1b" not in str(found)


def test_a_frame_is_no_sequence_of_rows():
    with pytest.raises(TypeError, match=r"a pandas DataFrame is no sequence of rows"):
        examine(pd.DataFrame({"a": [1.0]}))


def test_a_row_that_is_none_is_named():
    found = examine(lambda: iter([np.float32(1)] * 50 + [None] * 50), budget_s=6)
    assert "row 50 is None: leave such rows out" in str(found)


def test_a_line_that_a_hazard_makes_slow_is_advised_to_be_changed():
    frame = pd.DataFrame(np.ones((4000, 8)))

    def rows():
        for _, row in frame.iterrows():
            yield row.to_numpy(np.float32)

    hazards = find(Evidence(resolve(rows), None, None, None, 32))
    (hazard,) = [one for one in hazards if one.name == "row-by-row"]
    file, _, first = hazard.where.rpartition(":")
    assert hazard.last == int(first) + 1
    lines = [Line(file, hazard.last, "", 0.8, 0.6, 0.1, 0.1), Line(file, 1, "", 0.1, 0.1, 0, 0)]
    ((advice, edit),) = rewrites(hazards, lines)
    assert advice.name == "rewrite" and not advice.automatic and "iterrows" in advice.title
    c = Coefficients(10, 80, 10, 5, 0, 0, 0, 2)
    left = edit(c, {})
    assert (left.held, left.waiting, left.freed, left.crossing) == (20, 0, 0, 5)
    assert rewrites(hazards, lines[1:]) == []


def test_with_too_few_rounds_nothing_is_predicted():
    found = examine(_rows, output_signature=SPEC, budget_s=6)
    untried = tuple(replace(one, tried=None) for one in found.advice)
    few = replace(found, rounds=2, misfit=0.0, advice=untried)
    assert few.unsure and str(few).count("gain: not known") == len(untried) > 0
    enough = replace(few, rounds=3)
    assert not enough.unsure and str(enough).count("by the law") == len(untried)


_Pair = collections.namedtuple("_Pair", "y x")


class _Unsorted:
    """Its rows are dictionaries whose keys are not in the order of the alphabet."""

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return {"y": np.float32(index), "x": np.float32(-index)}


def test_threads_keep_each_component_under_its_key():
    spec = tf.TensorSpec((), tf.float32)
    subject = resolve(_Unsorted(), {"y": spec, "x": spec})
    batch = next(iter(fixing._threads(subject, subject.signature, 8, 2)))
    np.testing.assert_array_equal(batch["y"], np.arange(8))
    np.testing.assert_array_equal(batch["x"], -np.arange(8))


def test_a_change_that_yields_other_rows_is_no_fix():
    found = examine(_rows, output_signature=SPEC, budget_s=6)
    zeros = tf.data.Dataset.from_tensors(tf.zeros((32, 2))).repeat(20)
    tried = found.try_fix(1, lambda: zeros, budget_s=1)
    assert tried.same == "different elements" and not tried.helps
    assert "no fix" in str(tried)


def test_rows_in_another_order_are_the_same_rows_as_far_as_they_were_compared():
    numbers = tf.data.Dataset.range(6000).batch(8)
    turned = tf.data.Dataset.range(6000).shuffle(500, seed=1).batch(8)
    said = _same(numbers, turned, 4)
    assert said == "in another order, as far as they were compared"
    assert _same(numbers.take(20), turned.take(20), 4) == "different elements"
    assert _same(numbers, numbers.map(lambda x: -1 - x), 4) == "different elements"


def test_what_makes_batches_at_once_has_no_head_start():
    """Its batches are all ready when the first is, which took as long as they all."""

    class Late:
        def take(self, count):
            time.sleep(0.03)
            yield from range(count)

    arm = _arm("late", Late, 3, 1, None, from_start=True)
    assert run_trial(arm).ns_per_example > 9e6
    arm = _arm("late", Late, 3, 1, None, from_start=False)
    assert run_trial(arm).ns_per_example < 9e6


def test_a_file_in_memory_is_no_shared_handle():
    packed = io.BytesIO(b"12345678")

    def rows():
        for _ in range(60):
            yield np.frombuffer(packed.getvalue(), np.uint8)

    found = examine(rows, output_signature=tf.TensorSpec((8,), tf.uint8), budget_s=4)
    assert "shared-handle" not in {hazard.name for hazard in found.hazards}


def test_an_exception_is_the_users_with_its_row_and_line():
    def rows():
        yield np.zeros(2, np.float32)
        raise LookupError("row two")

    found = examine(rows, budget_s=5)
    assert found.failure.kind == "LookupError" and found.failure.index == 1
    assert "test_doctor_examine.py" in found.failure.where
    assert "helpers/diagnose" not in found.failure.traceback
    assert found.code == 2


@pytest.mark.parametrize("ending", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_code_that_exits_ends_in_an_answer(ending):
    def rows():
        yield np.zeros(2, np.float32)
        raise ending

    assert examine(rows, budget_s=5).failure.kind == ending.__name__


def test_a_generator_that_hangs_is_left_alone_and_its_line_named():
    free = threading.Event()

    def rows():
        yield np.zeros(2, np.float32)
        free.wait(60)

    start = time.monotonic()
    found = examine(rows, output_signature=SPEC, budget_s=2)
    free.set()
    assert time.monotonic() - start < 20
    assert found.code == 2 and "free.wait(60)" in found.sentence


def test_an_endless_generator_is_seen_in_part():
    def rows():
        while True:
            yield np.zeros(2, np.float32)

    found = examine(rows, output_signature=SPEC, budget_s=5)
    assert "no end" in found.seen and found.bounds


def test_one_element_is_too_few_and_said_so():
    def rows():
        yield np.zeros(2, np.float32)

    found = examine(rows, output_signature=SPEC, budget_s=5)
    assert "1 rows" in found.seen and found.rounds == 0


def test_cancelling_ends_it():
    flag = threading.Event()
    flag.set()

    def rows():
        while True:
            time.sleep(0.001)
            yield np.zeros(2, np.float32)

    with pytest.raises(Cancelled):
        examine(rows, output_signature=SPEC, budget_s=20, cancelled=flag)


def test_no_process_is_left():
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    examine(_rows, output_signature=SPEC, budget_s=5)
    after = [one for one in psutil.Process().children(recursive=True) if one.pid not in before]
    assert not [one for one in after if "py-spy" in " ".join(one.cmdline())]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"budget_s": 0}, "budget_s"),
        ({"batch_size": 0}, "batch_size"),
        ({"consumer": 3}, "consumer"),
    ],
)
def test_a_bad_argument_is_one_sentence(arguments, message):
    with pytest.raises((ValueError, TypeError), match=message):
        examine(_rows, **arguments)


def test_a_number_is_nothing_to_examine():
    with pytest.raises(TypeError, match="takes a generator function"):
        examine(3)


def test_a_model_that_is_not_compiled_is_refused():
    model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
    with pytest.raises(ValueError, match="not compiled"):
        examine(_rows, consumer=model)


def test_a_signature_is_proposed_in_the_structure_of_the_rows():
    made = propose([_Pair(y=np.zeros(3), x=np.int64(1))] * 2)
    assert isinstance(made, _Pair) and made.y.shape == (3,) and made.x.dtype == tf.int64
    assert text_of(made).startswith("_Pair(y=tf.TensorSpec((3,), tf.float64), x=")


def test_a_signature_is_proposed_from_many_rows():
    rows = [(np.zeros((3, n), np.float32), f"{n}") for n in (2, 2, 5)]
    made = propose(rows)
    assert text_of(made) == "(tf.TensorSpec((3, None), tf.float32), tf.TensorSpec((), tf.string))"


def test_ranks_that_differ_are_unknown_and_types_widen():
    assert propose([np.zeros(2), np.zeros((2, 2))]).shape.rank is None
    assert propose([np.float32(1), np.float64(1)]).dtype == tf.float64


def test_a_signature_is_held_to_every_row():
    rows = [np.zeros(2, np.float32)] * 9 + [np.zeros(3, np.float32)]
    problems, _ = check(SPEC, rows)
    assert "row 9" in problems[0]
    _, loose = check(tf.TensorSpec((None,), tf.float32), rows[:9])
    assert "dimension 0" in loose[0]


def test_two_passes_on_a_reused_array_and_a_spent_source():
    array = np.zeros(4, np.float32)

    def reused():
        for index in range(5):
            array[:] = index
            yield array

    seen = Look()
    look(reused, seen, Deadline(5), file="", once=False)
    assert seen.reused == 1 and seen.changed == 0 and seen.ended
    items = iter(range(5))
    seen = Look()
    look(lambda: items, seen, Deadline(5), file="", once=False)
    assert seen.ended_again and seen.count == 5


def test_a_function_that_does_not_come_back_is_stuck():
    with pytest.raises(Stuck, match=r"within 0 s"):
        limited(lambda: time.sleep(5), 0.2, "it")


def test_what_was_brought_is_told_apart():
    dataset = tf.data.Dataset.from_generator(_rows, output_signature=SPEC).batch(4)
    kinds = {
        "generator": _rows, "object": _rows(), "sequence": np.zeros((4, 2)), "pipeline": dataset,
    }  # fmt: skip
    assert {kind: resolve(thing).kind for kind, thing in kinds.items()} == {k: k for k in kinds}
    assert resolve(dataset).code is _rows
    assert resolve(lambda: dataset).kind == "pipeline"


def test_arguments_reach_a_generator_as_arrays_and_a_missing_one_is_named():
    def rows(path, count):
        yield path

    assert next(resolve(rows, None, ("a", 1)).rows()) == b"a"
    with pytest.raises(ValueError, match="needs count"):
        resolve(rows, None, ("a",))


def test_what_raises_in_tensorflows_threads_alone_is_told_as_the_users_own():
    def bound():
        for index in range(200):
            if isinstance(threading.current_thread(), threading._DummyThread):
                raise LookupError("opened in another thread")
            yield np.full(2, index, np.float32)

    found = examine(bound, output_signature=SPEC, budget_s=6)
    assert found.first == "raises" and found.code == 2
    assert "LookupError" in found.sentence and "{{" not in str(found)
    assert "opened in another thread" in found.failure.message
    assert found.failure.where.startswith("test_doctor_examine.py:")
    assert "site-packages" not in found.failure.traceback and "raise LookupError" in str(found)
    assert "threads of its own" in " ".join(found.remarks)


def test_a_generator_that_needs_a_value_says_what_to_do_where_none_can_be_given():
    with pytest.raises(ValueError, match=r"needs n: .*or pass a function that needs nothing"):
        examine(lambda n: iter(range(n)), budget_s=6)
