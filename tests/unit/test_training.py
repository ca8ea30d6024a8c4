"""Training under observation: what fit takes, what a loop takes, two measures of a stall."""

import numpy as np
import pytest
from unit.fakes import FakeMachine

from helpers.measure import Settings, compare, run_trial
from helpers.quiet import tf
from helpers.study import training

STEPS, ROWS = 6, 4


@pytest.fixture
def model():
    tf.keras.utils.set_random_seed(0)
    made = tf.keras.Sequential([tf.keras.layers.Input((3,)), tf.keras.layers.Dense(2)])
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    made.compile("sgd", loss)
    return made


def batches(steps=STEPS):
    rng = np.random.default_rng(0)
    rows = rng.random((ROWS * steps, 3), np.float32), rng.integers(2, size=ROWS * steps)
    return tf.data.Dataset.from_tensor_slices(rows).batch(ROWS)


def test_fit_takes_every_batch_once_and_learns_as_unseen(model):
    start, taken = model.get_weights(), []

    def through(iterator):
        for batch in iterator:
            taken.append(batch)
            yield batch

    train = model.fit(batches(), epochs=2, shuffle=False, verbose=0).history["loss"]
    model.set_weights(start)
    function = model.train_function
    with training.seen(model, through):
        seen = model.fit(batches(), epochs=2, shuffle=False, verbose=0).history["loss"]
    np.testing.assert_allclose(seen, train, rtol=1e-6)
    assert len(taken) == 2 * STEPS
    for (inputs, _), (expected, _) in zip(taken, [*batches(), *batches()], strict=True):
        np.testing.assert_array_equal(inputs, expected)
    assert model.train_function is function


def test_a_failed_fit_leaves_the_model_as_it_was(model):
    def through(iterator):
        raise OSError("the disk is gone")
        yield

    model.make_train_function()
    function = model.train_function
    with pytest.raises(OSError, match="the disk is gone"), training.seen(model, through):
        model.fit(batches(), verbose=0)
    assert model.train_function is function


def test_steps_that_nobody_sees_between_are_refused(model):
    model.compile("sgd", "mse", steps_per_execution=3)
    with (
        pytest.raises(ValueError, match="steps_per_execution=3 hides"),
        training.seen(model, lambda iterator: iterator),
    ):
        pass


@pytest.mark.parametrize("make", [training.fit_arm, training.loop_arm])
def test_a_trial_is_an_epoch(model, make):
    arm = make("a", model, batches(STEPS + 2), STEPS)
    before = int(model.optimizer.iterations.numpy())
    trial = run_trial(arm)
    assert (trial.elements, trial.examples, trial.first_examples) == (STEPS, STEPS * ROWS, ROWS)
    assert 0 < trial.wait_ns < trial.steady_ns
    assert int(model.optimizer.iterations.numpy()) - before == STEPS


def test_a_loop_of_ones_own_learns_what_fit_learns(model):
    start = model.get_weights()
    model.fit(batches(), shuffle=False, verbose=0)
    fitted = model.get_weights()
    model.set_weights(start)
    run_trial(training.loop_arm("own", model, batches(), STEPS))
    for own, expected in zip(model.get_weights(), fitted, strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-5, atol=1e-7)


def test_one_batch_is_the_first_one_again_and_again():
    first = next(iter(batches()))
    for inputs, labels in training.one_batch(batches(), 3):
        np.testing.assert_array_equal(inputs, first[0])
        np.testing.assert_array_equal(labels, first[1])
    assert len(training.one_batch(batches(), 3)) == 3


def measured(wait, step, slower=1.0):
    """A pipeline with this wait and step, and a ceiling that asks for nothing and is not slowed."""
    machine = FakeMachine()
    arms = [
        machine.arm("fed", wait, step=step * slower, elements=11),
        machine.arm(training.CEILING, 0, step=step, elements=11),
    ]
    return compare(arms, settings=Settings(min_rounds=3, max_rounds=3), clock=machine.clock)


def test_both_measures_agree_where_nothing_slows_the_step():
    found = training.stall(measured(30, 70), "fed")
    assert found.waiting.value == pytest.approx(0.3)
    assert found.behind.value == pytest.approx(0.3)
    assert found.slowed == pytest.approx(0)
    assert str(found.waiting) == "30\u00a0% [30\u00a0%, 30\u00a0%]"
    assert found.words["slowed"] == "0\u00a0%"


def test_a_step_that_is_slowed_is_told_from_one_that_waits():
    found = training.stall(measured(40, 40, slower=1.5), "fed")
    assert found.waiting.value == pytest.approx(0.4)
    assert found.behind.value == pytest.approx(0.6)
    assert found.slowed == pytest.approx(0.2)


def test_rows_of_all_replicas_count():
    devices = tf.config.list_logical_devices("CPU")
    strategy = tf.distribute.MirroredStrategy([device.name for device in devices])
    batch = next(iter(strategy.experimental_distribute_dataset(batches())))
    assert training.rows_in(batch) == ROWS
    assert training.rows_in(next(iter(batches()))) == ROWS
