"""Uses in which the bridge once gave other data than tf.data, or none, or said too little."""

import functools
import gc
import os
import random
import re
import subprocess
import sys
import textwrap
import threading
import time
import traceback
import weakref

import cloudpickle
import numpy as np
import pandas as pd
import pytest
from unit.bridging import spec

from helpers import bridge
from helpers.quiet import tf

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # as if written in a notebook
pytestmark = pytest.mark.usefixtures("no_keras")
workers = pytest.mark.skipif(sys.platform == "win32", reason="workers are not on Windows")
INTEGER = spec((), tf.int64)


def values(dataset):
    return [batch.numpy().tolist() for batch in dataset]


def flat(batches):
    return [row for batch in batches for row in batch]


def first_line(error):
    return error.value.message.splitlines()[0]


def pairs():
    for k in range(64):
        yield np.full(4, k, np.float32), np.float32(k)


PAIR = (spec((4,)), spec())
WAYS = {
    "rows": lambda drop: bridge.from_generator(
        pairs, output_signature=PAIR, batch_size=8, drop_remainder=drop
    ),
    "one worker": lambda drop: bridge.from_generator(
        pairs, output_signature=PAIR, batch_size=8, drop_remainder=drop, num_workers=1
    ),
    "arrays": lambda drop: bridge.from_source(
        (np.zeros((64, 4), np.float32), np.zeros(64)), batch_size=8, drop_remainder=drop
    ),
    "items": lambda drop: bridge.from_source(
        [[k, k] for k in range(64)], batch_size=8, drop_remainder=drop
    ),
    "two workers": lambda drop: bridge.from_source(
        list(range(64)), batch_size=8, drop_remainder=drop, num_workers=2, chunk_size=16
    ),
}


@workers
@pytest.mark.parametrize("drop", [False, True])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("strategy", ["OneDeviceStrategy", "MirroredStrategy"])
def test_batches_keep_their_size_under_a_strategy_of_one_replica(strategy, way, drop):
    devices = "cpu:0" if strategy == "OneDeviceStrategy" else ["cpu:0"]
    distributed = getattr(tf.distribute, strategy)(devices).experimental_distribute_dataset(
        WAYS[way](drop)
    )
    sizes = [len(tf.nest.flatten(batch)[0]) for batch in distributed]
    assert sizes == [8] * 8


def test_pandas_is_read_by_rows_as_tf_data_reads_it():
    frame = pd.DataFrame({"x": [0.0, 1, 2, 3], "y": [0, 1, 2, 3]}).sample(frac=1, random_state=1)
    source = (frame[["x"]].to_numpy("f4"), frame["y"], {"frame": frame[["y"]], **dict(frame)})
    (ours,) = bridge.from_source(source, batch_size=4)
    (theirs,) = tf.data.Dataset.from_tensor_slices(source).batch(4)
    for found, expected in zip(tf.nest.flatten(ours), tf.nest.flatten(theirs), strict=True):
        assert found.numpy().tolist() == expected.numpy().tolist()
        assert found.dtype == expected.dtype


def test_a_frame_of_several_types_is_refused_in_a_sentence():
    frame = pd.DataFrame({"x": [0.5], "name": ["a"]})
    with pytest.raises(TypeError, match=r"different types; pass a dictionary of them"):
        bridge.from_source(frame, batch_size=1)


@pytest.mark.parametrize("make", [np.asmatrix, np.ma.asarray, tf.constant])
def test_other_arrays_are_read_as_tf_data_reads_them(make):
    source = make(np.arange(6.0).reshape(3, 2))
    theirs = tf.data.Dataset.from_tensor_slices(source).batch(2)
    ours = bridge.from_source(source, batch_size=2)
    assert values(ours) == values(theirs)
    assert ours.element_spec.dtype == theirs.element_spec.dtype


@workers
@pytest.mark.parametrize("num_workers", [0, 1])
@pytest.mark.parametrize("shape", [(), (1,)])
def test_strings_of_numpy_keep_what_they_end_with(num_workers, shape):
    def rows():
        for text in (np.bytes_(b"q\x00"), np.str_("s\x00"), b"plain\x00"):
            yield text if shape == () else [text]

    given = {"output_signature": spec(shape, tf.string)}
    theirs = values(tf.data.Dataset.from_generator(rows, **given).batch(3))
    ours = bridge.from_generator(rows, **given, batch_size=3, num_workers=num_workers)
    assert values(ours) == theirs
    if shape == ():
        assert theirs == [[b"q\x00", b"s\x00", b"plain\x00"]]


class Lazy:
    """A source that opens its file with the first item, or when its length is asked for."""

    def __init__(self, path, counts_in_file):
        self.path = path
        self.counts_in_file = counts_in_file
        self.fd = None
        self.opened_in = None

    def _open(self):
        if self.fd is None:
            self.fd, self.opened_in = os.open(self.path, os.O_RDONLY), os.getpid()

    def __len__(self):
        if self.counts_in_file:
            self._open()
            return os.fstat(self.fd).st_size // 4
        return 64

    def __getitem__(self, index):
        if not isinstance(index, int):
            raise TypeError("no slices")
        self._open()
        return np.frombuffer(os.pread(self.fd, 4, 4 * index), np.float32)[0]


@workers
@pytest.mark.parametrize("counts_in_file", [False, True])
def test_what_belongs_to_workers_is_not_touched_here(tmp_path, counts_in_file):
    np.arange(64, dtype=np.float32).tofile(tmp_path / "numbers")
    source = Lazy(str(tmp_path / "numbers"), counts_in_file)
    batches = bridge.from_source(source, batch_size=8, num_workers=2)
    assert flat(values(batches)) == list(range(64))
    assert source.fd is None


@workers
@pytest.mark.parametrize("num_workers", [0, 1])
def test_rows_before_a_string_that_utf_8_cannot_hold_arrive_and_it_is_named(num_workers):
    def names():
        for k in range(60):
            yield "bad\udcff.jpg" if k == 37 else f"é{k}.jpg"

    batches = iter(
        bridge.from_generator(
            names, output_signature=spec((), tf.string), batch_size=5, num_workers=num_workers
        )
    )
    assert sum(len(next(batches)) for _ in range(7)) == 35
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        next(batches)
    assert "example 37, component: expected a string that UTF-8 can hold" in first_line(error)
    assert os.path.basename(__file__) in first_line(error)


def children():
    return {
        pid
        for pid in map(int, filter(str.isdecimal, os.listdir("/proc")))
        if _parent(pid) == os.getpid()
    }


def _parent(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return int(stat.read().rpartition(")")[2].split()[1])
    except OSError:
        return None


def gone(condition):
    deadline = time.monotonic() + 20
    while not condition():
        if time.monotonic() > deadline:
            return False
        gc.collect()
        time.sleep(0.05)
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_workers_of_a_data_set_built_inside_a_graph_end_with_it():
    def eight():
        yield from range(8)

    def part(k):
        return bridge.from_generator(eight, output_signature=INTEGER, batch_size=4, num_workers=1)

    before = children()
    dataset = tf.data.Dataset.range(2).interleave(part, cycle_length=2)
    assert len(list(dataset)) == 4
    assert children() - before
    del dataset
    assert gone(lambda: not children() - before)


@workers
@pytest.mark.parametrize("num_workers", [0, 1])
def test_arguments_and_lambdas_inside_interleave(num_workers):
    def count_from(start):
        yield from range(int(start), int(start) + 3)

    given = {"output_signature": INTEGER, "batch_size": 3, "num_workers": num_workers}
    counted = tf.data.Dataset.range(2).interleave(
        lambda k: bridge.from_generator(count_from, args=(k,), **given)
    )
    assert values(counted) == [[0, 1, 2], [1, 2, 3]]
    squares = tf.data.Dataset.range(2).interleave(
        lambda _: bridge.from_generator(lambda: (k * k for k in range(3)), **given)
    )
    assert values(squares) == [[0, 1, 4]] * 2


@workers
def test_an_epoch_after_a_look_at_one_batch_does_not_wait():
    def rows(shard, num_shards):
        yield from range(shard, 8, num_shards)

    waits = []
    for _ in range(3):
        batches = bridge.from_generator(rows, output_signature=INTEGER, batch_size=2, num_workers=4)
        next(iter(batches))  # before all of the workers have started
        start = time.monotonic()
        assert len(list(batches)) == 4
        waits.append(time.monotonic() - start)
    assert min(waits) < 4  # it was 5 s, by a timer


@workers
@pytest.mark.parametrize("closed", ["<&- >&-", "<&- 2>&-"])
def test_a_program_without_its_standard_files(tmp_path, closed):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent("""
            import sys
            from helpers import bridge
            from helpers.quiet import tf

            def rows():
                yield from range(4)

            batches = bridge.from_generator(
                rows, output_signature=tf.TensorSpec((), tf.int64), batch_size=2, num_workers=1
            )
            with open(sys.argv[1], "w") as out:
                out.write(repr([batch.numpy().tolist() for batch in batches]))
        """)
    )
    result = tmp_path / "result"
    command = f'exec "{sys.executable}" "{script}" "{result}" {closed}'
    subprocess.run(command, shell=True, timeout=120, check=False, cwd=os.getcwd())
    assert result.read_text() == "[[0, 1], [2, 3]]"


@workers
@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_chunk_of_one_batch_reads_one_batch_ahead_or_none(num_workers, tmp_path):
    log = tmp_path / "pulled"

    def rows():
        for k in range(100):
            with open(log, "a") as file:
                file.write("x")
            yield k

    def pulled_after_one(options):
        log.write_text("")
        batches = bridge.from_generator(
            rows, output_signature=INTEGER, batch_size=5, chunk_size=5, num_workers=num_workers
        )
        iterator = iter(batches.with_options(options))
        next(iterator)
        time.sleep(0.3)
        return log.stat().st_size

    options = tf.data.Options()
    assert pulled_after_one(options) <= 10
    options.experimental_optimization.inject_prefetch = False
    assert pulled_after_one(options) == 5


@workers
@pytest.mark.parametrize("shape", [(2,), (None,)])
def test_a_mismatch_in_a_shard_names_its_row_there(shape):
    def rows(shard, num_shards):
        for k in range(shard, 40, num_shards):
            yield np.zeros(3 if k == 25 else 2, np.float32)

    batches = bridge.from_generator(rows, output_signature=spec(shape), batch_size=8, num_workers=2)
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        list(batches)
    assert "example 12 of shard 1, component: expected shape (2,)" in first_line(error)
    assert f"yielded at {__file__}" in first_line(error)


def test_a_bad_item_of_a_shuffled_source_is_named_by_its_place_in_the_source():
    items = [np.zeros(3 if k == 25 else 2, np.float32) for k in range(40)]
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        list(bridge.from_source(items, batch_size=8, shuffle=True, seed=1))
    assert "(item 25 of the source), component: expected shape (2,)" in first_line(error)


def count_lines(dataset):
    try:
        for _ in dataset:
            pass
    except tf.errors.OpError as error:
        return traceback.format_exc().count("\n"), error
    raise AssertionError("no error")


@workers
@pytest.mark.parametrize("num_workers", [0, 1])
def test_ones_own_error_is_told_in_the_first_line_and_no_longer_than_by_tf_data(num_workers):
    def rows():
        for k in range(40):
            if k == 37:
                raise KeyError("label missing")
            yield float(k)

    theirs, _ = count_lines(tf.data.Dataset.from_generator(rows, output_signature=spec()).batch(8))
    ours, error = count_lines(
        bridge.from_generator(rows, output_signature=spec(), batch_size=8, num_workers=num_workers)
    )
    assert ours <= theirs
    told = error.message.splitlines()[0]
    assert "example 37: KeyError: 'label missing', at " in told
    assert os.path.basename(__file__) in told
    assert told.endswith('in rows: raise KeyError("label missing")')


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"varying": "pad"}, "varying='pad' needs an output_signature with None"),
        ({"varying": "ragged"}, "varying='ragged' needs an output_signature with None"),
        ({"reshuffle_each_iteration": False}, "has no effect without shuffle"),
        ({"seed": 1}, "seed has no effect"),
    ],
)
def test_an_argument_without_effect_is_refused(given, sentence):
    with pytest.raises(ValueError, match=sentence):
        bridge.from_source([np.zeros(3, np.float32)], batch_size=3, **given)


@workers
def test_workers_are_as_quiet_about_tensorflow_as_this_process():
    code = """
        from helpers import bridge
        from helpers.quiet import tf

        def rows(shard, num_shards):
            for k in range(shard, 4, num_shards):
                yield tf.constant(float(k))

        signature = tf.TensorSpec((), tf.float32)
        list(bridge.from_generator(rows, output_signature=signature, batch_size=2, num_workers=2))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=180
    )
    assert (done.returncode, done.stderr) == (0, "")


class Data:
    def __init__(self):
        self.array = np.ones(1000, np.float32)

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return self.array[index]


@workers
@pytest.mark.parametrize(
    "build",
    [
        lambda data: bridge.from_generator(
            lambda: iter(data.array[:4]), output_signature=spec(), batch_size=2
        ),
        lambda data: bridge.from_source(data, batch_size=2),
        lambda data: bridge.from_source(data, batch_size=2, shuffle=True),
        lambda data: bridge.from_source(data, batch_size=2, num_workers=1),
    ],
    ids=["generator", "source", "shuffled", "worker"],
)
def test_a_data_set_that_is_gone_keeps_nothing(build):
    data = Data()
    seen = weakref.ref(data)
    dataset = build(data).map(lambda x: x + 1).prefetch(1)
    del data
    gc.collect()
    assert len(list(dataset)) == 2
    iterator = iter(dataset)
    del dataset
    gc.collect()
    assert len(list(iterator)) == 2
    del iterator
    assert gone(lambda: seen() is None)


def test_a_data_set_that_is_gone_while_something_reads_it_says_so():
    dataset = bridge.from_generator(lambda: iter(range(4)), output_signature=INTEGER, batch_size=2)

    @tf.function
    def count():
        total = 0
        for _ in dataset:  # noqa: F821, deleted below
            total += 1
        return total

    assert count() == 2
    del dataset
    gc.collect()
    with pytest.raises(tf.errors.UnknownError, match="keep a reference to the data set"):
        count()


SOURCES = {
    "array": (np.arange(40.0), {}),
    "items": (list(range(40)), {}),
    "one worker": (list(range(40)), {"num_workers": 1}),
    "two workers": (list(range(40)), {"num_workers": 2}),
    "padded": (
        [np.ones(k % 5 + 1, np.float32) * k for k in range(40)],
        {"varying": "pad", "output_signature": spec((None,))},
    ),
}


@workers
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("kind", SOURCES)
def test_a_source_goes_on_at_the_same_row_from_a_checkpoint(kind, shuffle, tmp_path):
    source, options = SOURCES[kind]
    given = {"shuffle": True, "seed": 7} if shuffle else {}

    def build():
        return bridge.from_source(source, batch_size=3, **options, **given)

    dataset = build().repeat(2)
    iterator = iter(dataset)
    for _ in range(17):  # into the second epoch, whose order is another
        next(iterator)
    path = tf.train.Checkpoint(iterator=iterator).write(str(tmp_path / "point"))
    rest = values(iterator)
    assert len(rest) == 11
    again = iter(build().repeat(2))  # as in another process
    tf.train.Checkpoint(iterator=again).restore(path)
    assert values(again) == rest


@workers
@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_generator_says_that_it_cannot_be_saved_and_what_can(num_workers, tmp_path):
    batches = bridge.from_generator(
        pairs, output_signature=PAIR, batch_size=8, num_workers=num_workers
    )
    iterator = iter(batches.map(lambda x, y: x).prefetch(2))
    next(iterator)
    with pytest.raises(tf.errors.FailedPreconditionError, match=r"bridge\.from_source reads can"):
        tf.train.Checkpoint(iterator=iterator).write(str(tmp_path / "point"))


def test_what_tf_data_cannot_save_it_says_itself(tmp_path):
    batches = tf.data.Dataset.from_generator(lambda: iter(range(4)), output_signature=INTEGER)
    with pytest.raises(tf.errors.FailedPreconditionError, match="stateful"):
        tf.train.Checkpoint(iterator=iter(batches)).write(str(tmp_path / "point"))


@workers
@pytest.mark.parametrize("make", [lambda: np.random.default_rng(0), lambda: random.Random(0)])
@pytest.mark.parametrize("seed", [None, 5])
def test_workers_do_not_repeat_the_numbers_of_a_random_generator_they_were_sent(make, seed):
    rng = make()

    def rows(shard, num_shards):
        for _ in range(shard, 16, num_shards):
            yield rng.random()

    with pytest.warns(UserWarning, match="each worker gets a stream of its own"):
        batches = bridge.from_generator(
            rows, output_signature=spec((), tf.float64), batch_size=4, num_workers=4, seed=seed
        )
    assert len({value for batch in values(batches) for value in batch}) == 16


@workers
def test_one_worker_takes_a_random_generator_as_it_is():
    rng = np.random.default_rng(0)

    def rows():
        for _ in range(8):
            yield rng.random()

    batches = bridge.from_generator(
        rows, output_signature=spec((), tf.float64), batch_size=8, num_workers=1
    )
    expected = np.random.default_rng(0).random(16)
    assert flat(values(batches) + values(batches)) == expected.tolist()


@workers
def test_random_numbers_of_a_source_do_not_depend_on_the_workers():
    class Noisy(Data):
        def __init__(self):
            self.rng = np.random.default_rng(0)

        def __len__(self):
            return 20

        def __getitem__(self, index):
            return [self.rng.random(), np.random.random(), random.random()]

    def drawn(num_workers):
        batches = bridge.from_source(Noisy(), batch_size=4, num_workers=num_workers, seed=3)
        return values(batches), values(batches)

    first, second = drawn(1)
    assert first != second
    assert drawn(2) == drawn(3) == (first, second)
    assert len(np.unique(first)) == 60


@workers
@pytest.mark.parametrize("num_workers", [0, 1, 2])
def test_a_row_that_does_not_match_costs_its_batch_and_no_more(num_workers):
    def rows(shard=0, num_shards=1):
        for k in range(shard, 40, num_shards):
            yield np.full(3 if k == 5 else 2, k, np.float32)

    dataset = bridge.from_generator(
        rows, output_signature=spec((2,)), batch_size=4, num_workers=num_workers
    )
    found = [int(row[0]) for batch in values(dataset.ignore_errors()) for row in batch]
    lost = {0: {4, 5}, 1: {4, 5}, 2: {1, 3, 5}}[num_workers]  # of the batch that it came in
    assert set(range(40)) - set(found) == lost
    assert len(found) == len(set(found))


@workers
@pytest.mark.parametrize("drop", [False, True])
@pytest.mark.parametrize("num_workers", [0, 1, 2])
def test_a_source_whose_item_fails_goes_on_after_it(num_workers, drop):
    class Broken(Data):
        def __len__(self):
            return 40

        def __getitem__(self, index):
            if isinstance(index, slice) or index == 5:
                raise OSError("truncated")
            return float(index)

    dataset = bridge.from_source(
        Broken(), batch_size=4, num_workers=num_workers, drop_remainder=drop
    )
    found = values(dataset.ignore_errors())
    rest = [[k, k + 1, k + 2, k + 3] for k in range(6, 38, 4)]
    assert found == [[0, 1, 2, 3], *rest] + ([] if drop else [[38, 39]])
    with pytest.raises(tf.errors.UnknownError) as error:
        list(dataset)
    assert "example 5: OSError: truncated, at " in first_line(error)


@workers
@pytest.mark.parametrize("num_workers", [0, 1])
def test_an_epoch_sees_what_the_generator_refers_to_as_it_is_then(num_workers):
    order = list(range(6))
    weights = np.zeros(6)

    def rows():
        for k in order:
            yield k + weights[k]

    batches = bridge.from_generator(
        rows, output_signature=spec((), tf.float64), batch_size=6, num_workers=num_workers
    )
    assert values(batches) == [[0, 1, 2, 3, 4, 5]]
    order.reverse()
    assert values(batches) == [[5, 4, 3, 2, 1, 0]]
    weights += 10
    assert values(batches) == [[15, 14, 13, 12, 11, 10]]


@workers
def test_data_sets_with_workers_built_in_several_threads():
    answers = []

    def build():
        table = np.zeros(1_000_000)

        def rows(shard, num_shards):
            table.sum()
            yield from range(shard, 12, num_shards)

        batches = bridge.from_generator(rows, output_signature=INTEGER, batch_size=4, num_workers=2)
        answers.append(sorted(flat(values(batches))))

    threads = [threading.Thread(target=build) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [list(range(12))] * 4


@workers
@pytest.mark.parametrize(
    ("chunk_size", "drop"), [(None, False), (3, False), (24, False), (24, True)]
)
def test_a_batch_holds_rows_of_one_shard(chunk_size, drop):
    def rows(shard, num_shards):
        yield from range(100 * shard, 100 * shard + (20, 0, 3, 9)[shard])

    batches = values(
        bridge.from_generator(
            rows,
            output_signature=INTEGER,
            batch_size=4,
            num_workers=4,
            chunk_size=chunk_size,
            drop_remainder=drop,
        )
    )
    assert all(len({value // 100 for value in batch}) == 1 for batch in batches)
    sizes = [len(batch) for batch in batches]
    assert sorted(sizes) == [4] * 7 if drop else [1, 3] + [4] * 7
    if chunk_size != 24:
        assert batches[:3] == [[0, 1, 2, 3], [200, 201, 202], [300, 301, 302, 303]]


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_what_a_generator_refers_to_is_not_copied_in_this_process():
    def resident():
        with open("/proc/self/status") as status:
            return int(next(line for line in status if line.startswith("VmRSS")).split()[1]) >> 10

    data = np.ones((200, 1 << 18), np.float32)  # 200 MiB

    def rows(shard, num_shards):
        for k in range(shard, 200, num_shards):
            yield data[k, :16]

    before = resident()
    batches = bridge.from_generator(
        rows, output_signature=spec((16,)), batch_size=16, num_workers=2
    )
    assert sum(map(len, batches)) == 200
    assert resident() - before < 100


class Reader:
    def __init__(self):
        self.path, self.done = "x", threading.Event()

    def rows(self, shard, num_shards):
        yield 0.0


@workers
def test_what_cannot_be_sent_is_named_as_its_user_names_it():
    lock = threading.Lock()

    def locked(shard, num_shards):
        with lock:
            yield 0.0

    def given(handle, shard, num_shards):
        yield 0.0

    for generator, name in (
        (Reader().rows, r"Reader\.done is in the way"),
        (locked, "lock is in the way"),
        (functools.partial(given, threading.Lock()), "an argument of .* is in the way"),
    ):
        with pytest.raises(TypeError, match=name):
            bridge.from_generator(generator, output_signature=spec(), batch_size=1, num_workers=2)


@workers
def test_a_generator_may_use_the_bridge():
    def rows(shard, num_shards):
        yield bridge.aligned(np.full(3, shard, np.float32))

    batches = bridge.from_generator(rows, output_signature=spec((3,)), batch_size=1, num_workers=2)
    assert values(batches) == [[[0, 0, 0]], [[1, 1, 1]]]


@workers
@pytest.mark.parametrize("num_workers", [0, 1])
def test_cardinality_is_known_and_held_to(num_workers):
    def build(cardinality, drop=False):
        return bridge.from_generator(
            lambda: iter(range(10)),
            output_signature=INTEGER,
            batch_size=4,
            cardinality=cardinality,
            drop_remainder=drop,
            num_workers=num_workers,
        )

    assert build(10).cardinality() == 3
    assert len(list(build(10))) == 3
    assert len(list(build(10, drop=True))) == build(10, drop=True).cardinality() == 2
    for wrong, found in ((8, "more rows"), (9, "more rows"), (12, "only 10 rows")):
        with pytest.raises(tf.errors.InvalidArgumentError, match=f"{found}.*promised {wrong}"):
            list(build(wrong))
    for wrong, drop in ((0, False), (2, True)):  # of no batch, of which nobody would ask for one
        assert build(wrong, drop).cardinality() == 0
        with pytest.raises(tf.errors.InvalidArgumentError, match=f"more rows.*promised {wrong}"):
            list(build(wrong, drop))


def test_a_number_of_rows_needs_one_stream():
    with pytest.raises(ValueError, match="cardinality needs one stream of rows"):
        bridge.from_generator(
            pairs, output_signature=PAIR, batch_size=8, num_workers=2, cardinality=64
        )


def test_a_spent_iterator_is_told_of():
    spent = iter(range(6))
    batches = bridge.from_generator(lambda: spent, output_signature=INTEGER, batch_size=4)
    assert len(list(batches)) == 2
    with pytest.warns(UserWarning, match="has to return a new iterator"):
        assert len(list(batches)) == 0


@pytest.mark.filterwarnings("ignore:.*cross one by one")
@pytest.mark.parametrize("shape", [(), None], ids=["chunks", "plain"])
def test_an_iterator_over_a_generator_says_what_can_be_saved(shape, tmp_path):
    def ones():
        for _ in range(20):
            yield np.float32(1)

    signature = tf.TensorSpec(shape, tf.float32)
    iterator = iter(bridge.from_generator(ones, output_signature=signature, batch_size=2))
    next(iterator)
    with pytest.raises(tf.errors.FailedPreconditionError, match="from_source reads can be saved"):
        tf.train.Checkpoint(iterator=iterator).save(str(tmp_path / "checkpoint"))


@workers
@pytest.mark.parametrize("num_workers", [0, 1])
@pytest.mark.parametrize(
    ("items", "row", "found"),
    [
        ([1, 2.5, 3], 1, "2.5 of type float"),
        ([1, 2, 2**40], 2, f"{2**40} of type int"),
        ([np.int8(1), np.int64(300)], 1, "300"),
        ([True, 2], 1, "2 of type int"),
        ([1.0, "2"], 1, "'2' of type str"),
        ([[1, 2], [3, 4.5]], 1, "[3, 4.5] of type list"),
        ([np.zeros(2, np.int64), np.full(2, 0.5)], 1, "array([0.5, 0.5])"),
        ([0.5, 1j], 1, "1j of type complex"),
    ],
)
def test_an_item_that_the_type_of_the_first_cannot_hold_is_an_error(items, row, found, num_workers):
    dataset = bridge.from_source(items, batch_size=1, num_workers=num_workers)
    batches = iter(dataset)
    for _ in range(row):
        next(batches)
    with pytest.raises(tf.errors.OpError) as error:
        next(batches)
    line = first_line(error)
    assert f"example {row}, component: expected " in line
    assert found in line and "say with output_signature what items look like" in line


@pytest.mark.parametrize("items", [[0.5, 1, True], [1, np.int64(7), True], [np.float32(1), 0.5]])
def test_an_item_that_the_type_of_the_first_holds_is_none(items):
    (batch,) = values(bridge.from_source(items, batch_size=3))
    assert batch == [float(item) for item in items]


def test_a_slice_that_the_type_of_the_first_cannot_hold_is_an_error():
    class Changing:
        def __len__(self):
            return 4

        def __getitem__(self, rows):
            return np.arange(4)[rows] if rows.start < 2 else np.arange(4)[rows] + 0.5

    with pytest.raises(tf.errors.OpError, match=r"examples 2 to 3, component: expected int64"):
        values(bridge.from_source(Changing(), batch_size=2, chunk_size=2))


@workers
@pytest.mark.parametrize("num_workers", [0, 1])
def test_what_a_generator_refers_to_arrives_as_it_is(num_workers):
    texts = [np.bytes_(b"a\0"), np.str_("x\0"), np.bytes_(b"\0")]
    view = memoryview(np.arange(4.0).reshape(2, 2))

    def rows():
        yield from texts
        yield f"{type(view).__name__} {view.format} {view.shape} {view.tolist()}"

    given = {"output_signature": spec((), tf.string), "batch_size": 4}
    (batch,) = values(bridge.from_generator(rows, **given, num_workers=num_workers))
    assert batch == [b"a\0", b"x\0", b"\0", b"memoryview d (2, 2) [[0.0, 1.0], [2.0, 3.0]]"]
    names = bridge.from_source(texts, batch_size=3, num_workers=num_workers)
    assert values(names) == [[b"a\0", b"x\0", b"\0"]]


@workers
@pytest.mark.parametrize("num_workers", [0, 1])
@pytest.mark.parametrize("stop", [sys.exit, lambda code: (_ for _ in ()).throw(KeyboardInterrupt)])
def test_batches_before_a_generator_that_exits_arrive(stop, num_workers):
    def rows():
        for k in range(12):
            if k == 11:
                stop(3)
            yield k

    batches = iter(
        bridge.from_generator(rows, output_signature=INTEGER, batch_size=2, num_workers=num_workers)
    )
    assert [next(batches).numpy().tolist() for _ in range(5)] == [
        [k, k + 1] for k in range(0, 10, 2)
    ]
    with pytest.raises(tf.errors.OpError) as error:
        next(batches)
    assert re.search(
        r"example 11: (SystemExit: 3|KeyboardInterrupt).* at .*\.py:\d+ in", first_line(error)
    )


def of_lines():
    yield 0
    raise ValueError("one line\nanother")


def stopping():
    yield 0
    next(iter(()))
    yield 1


def array_of_lines():
    yield 0
    yield np.zeros((20, 20))


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        (of_lines, "ValueError: one line, at "),
        (stopping, "RuntimeError: generator raised StopIteration, at "),
        (array_of_lines, "expected shape (), found shape (20, 20), yielded at "),
    ],
)
def test_the_first_line_of_an_error_names_the_line_of_code(rows, what):
    with pytest.raises(tf.errors.OpError) as error:
        list(bridge.from_generator(rows, output_signature=INTEGER, batch_size=1))
    assert what in first_line(error)
    assert f"test_bridge_sound.py:{rows.__code__.co_firstlineno + 2} in" in first_line(error)


@pytest.mark.parametrize("dtype", ["M8[s]", "m8[s]", "i4,f4", "g"])
def test_an_array_of_a_type_that_tensorflow_lacks_is_refused_in_a_sentence(dtype):
    with pytest.raises(TypeError, match="which TensorFlow does not have; convert it"):
        bridge.from_source(np.zeros(3, dtype), batch_size=1)


@pytest.mark.parametrize("dtype", [tf.resource, tf.variant])
def test_a_type_that_python_has_no_values_of_is_refused_in_a_sentence(dtype):
    with pytest.raises(TypeError, match=f"of type {dtype.name}, which no value of Python can have"):
        bridge.from_generator(pairs, output_signature=spec((), dtype), batch_size=1)


def test_a_source_whose_slices_exit_says_where():
    class Exiting:
        def __len__(self):
            return 4

        def __getitem__(self, rows):
            return np.arange(4)[rows] if rows.start < 2 else sys.exit(3)

    with pytest.raises(tf.errors.OpError, match=r"examples 2 to 3: SystemExit: 3, at .*\.py:\d+"):
        values(bridge.from_source(Exiting(), batch_size=2, chunk_size=2))


class EqualToAll(Exception):
    def __eq__(self, other):
        return True

    __hash__ = Exception.__hash__


def test_errors_that_say_they_are_equal_are_told_apart():
    def rows():
        yield 0
        raise EqualToAll("last") from EqualToAll("first")

    with pytest.raises(tf.errors.OpError) as error:
        list(bridge.from_generator(rows, output_signature=INTEGER, batch_size=1))
    assert "last" in first_line(error)
    assert "EqualToAll: first" in error.value.message


def test_a_slow_chunk_is_not_taken_for_the_end_where_a_number_was_promised():
    def rows():
        for number in range(48):
            if number >= 24:  # the chunks have grown by then, and this one is ended early
                time.sleep(0.006)
            yield np.int64(number)

    found = bridge.from_generator(rows, output_signature=INTEGER, batch_size=2, cardinality=48)
    for _ in range(2):
        assert [int(one) for batch in found for one in batch] == [*range(48)]
