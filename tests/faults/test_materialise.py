"""Rows written once: read back as they were, whole or not at all, resumed and not redone."""

import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from faults.rows_to_store import COUNT, generate, row, scalars

from helpers.measure import Cancelled
from helpers.quiet import tf
from helpers.scale import Cluster, Payback, StoredError, materialise, stored

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("no_keras")]

SIGNATURE = {
    "image": tf.TensorSpec((3, 2), tf.float32),
    "more": (tf.TensorSpec((), tf.string), tf.TensorSpec((2,), tf.uint32)),
}


def numbers(batches):
    return [int(one) for batch in batches for one in batch]


def test_structure_strings_and_values_come_back_each_row_once(tmp_path):
    made = materialise(
        generate, tmp_path, output_signature=SIGNATURE, batch_size=4, num_shards=3, num_workers=2
    )
    dataset = stored(tmp_path).dataset()
    assert made == stored(tmp_path) and made.rows == COUNT and "23 rows in 3 shards" in str(made)
    assert dataset.element_spec["image"].shape.as_list() == [None, 3, 2]
    batches = list(dataset.as_numpy_iterator())
    assert [len(batch["image"]) for batch in batches] == [4, 4, 4, 4, 4, 3]
    order = [index for shard in range(3) for index in range(shard, COUNT, 3)]
    found = [
        (batch["image"][n].tolist(), batch["more"][0][n], batch["more"][1][n].tolist())
        for batch in batches
        for n in range(len(batch["image"]))
    ]
    expected = [row(index) for index in order]
    assert found == [
        (one["image"].tolist(), one["more"][0], one["more"][1].tolist()) for one in expected
    ]


def test_a_source_keeps_its_order_and_its_batches(tmp_path):
    source = np.arange(COUNT * 2, dtype=np.int32).reshape(COUNT, 2)
    made = materialise(source, tmp_path, batch_size=4, num_shards=9)
    assert made.counts[:6] == (4, 4, 4, 4, 4, 3) and not any(made.counts[6:])
    batches = list(made.dataset().as_numpy_iterator())
    assert [len(batch) for batch in batches] == [4, 4, 4, 4, 4, 3]
    assert np.array_equal(np.concatenate(batches), source)


def test_shards_draw_different_random_numbers_and_the_same_ones_again(tmp_path):
    rng = np.random.default_rng(3)

    def draw(shard, num_shards):
        for _ in range(3):
            yield rng.random(), np.random.random()

    signature = (tf.TensorSpec((), tf.float64), tf.TensorSpec((), tf.float64))
    runs = [
        list(
            materialise(
                draw, tmp_path / name, output_signature=signature, batch_size=3, num_shards=2
            )
            .dataset()
            .as_numpy_iterator()
        )
        for name in ("once", "again")
    ]
    assert len({value for batch in runs[0] for one in batch for value in one}) == 12
    assert np.array_equal(runs[0], runs[1])


def test_what_is_read_can_be_written_to_and_leaves_the_files(tmp_path):
    made = materialise(np.ones((8, 64), np.float32), tmp_path, batch_size=4, num_shards=1)
    for _ in range(2):
        doubled = made.dataset().map(lambda batch: -2 * (batch + batch))
        assert {float(one) for batch in doubled for one in tf.reshape(batch, [-1])} == {-4.0}


def test_a_failing_row_is_a_sentence_and_the_next_call_writes_the_rest_only(tmp_path):
    broken, calls = tmp_path / "broken", tmp_path / "calls"
    broken.touch()
    calls.mkdir()

    def failing(shard, num_shards):
        (calls / f"{shard}-{time.time_ns()}").touch()
        yield np.int64(shard)
        if shard == 2 and broken.exists():
            raise RuntimeError("no such picture")

    how = {"output_signature": tf.TensorSpec((), tf.int64), "batch_size": 1, "num_shards": 3}
    with pytest.raises(StoredError, match=r"shard 2: .*no such picture") as caught:
        materialise(failing, tmp_path / "rows", num_workers=1, **how)
    assert "\n" not in str(caught.value)
    with pytest.raises(StoredError, match=r"not whole.*manifest\.json"):
        stored(tmp_path / "rows")
    assert not list((tmp_path / "rows").glob("*.part"))
    broken.unlink()
    seen = []
    made = materialise(failing, tmp_path / "rows", on_progress=seen.append, **how)
    assert numbers(made.dataset()) == [0, 1, 2]
    assert sorted(path.name[0] for path in calls.iterdir()) == ["0", "1", "2", "2"]
    assert (seen[-1].shards, seen[-1].rows) == (3, 1) and "3 of 3 shards whole" in str(seen[-1])


def test_cancelled_it_stops_and_keeps_what_is_whole(tmp_path):
    cancelled = threading.Event()
    how = {"output_signature": tf.TensorSpec((), tf.int64), "batch_size": 1, "num_shards": 4}

    def stop(written):
        if written.shards == 1:
            cancelled.set()

    with pytest.raises(Cancelled, match="those that are whole stay"):
        materialise(scalars, tmp_path, num_workers=1, on_progress=stop, cancelled=cancelled, **how)
    assert [path.name for path in tmp_path.glob("shard-*")] == ["shard-00000"]
    assert sorted(numbers(materialise(scalars, tmp_path, **how).dataset())) == [*range(COUNT)]


SLOW = """
import sys, time
import numpy as np
from helpers.quiet import tf
from helpers.scale import materialise

HOW = sys.argv[2]  # the worker has arguments of its own

def rows(shard, num_shards):
    for index in range(shard, 23, num_shards):
        if shard == 3 and HOW == "slow":
            time.sleep(60)
        yield np.int64(index)

if __name__ == "__main__":
    materialise(rows, sys.argv[1], output_signature=tf.TensorSpec((), tf.int64), batch_size=2,
                num_shards=4, on_progress=lambda written: print(written, flush=True))
"""


def test_killed_it_leaves_no_manifest_and_goes_on(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SLOW)
    rows = tmp_path / "rows"
    command = [sys.executable, str(script), str(rows)]
    writing = subprocess.Popen([*command, "slow"], stdout=subprocess.PIPE, text=True)
    said = ""
    while not said.startswith("3 of 4"):
        said = writing.stdout.readline()
        assert said, "it ended"
    with pytest.raises(StoredError, match="is being written by another process"):
        materialise(
            scalars, rows, output_signature=tf.TensorSpec((), tf.int64), batch_size=2, num_shards=4
        )
    writing.kill()
    writing.wait()
    kept = {path: path.stat().st_mtime_ns for path in rows.glob("shard-*/0.raw")}
    with pytest.raises(StoredError, match="not whole"):
        stored(rows)
    subprocess.run([*command, "fast"], check=True, stdout=subprocess.DEVNULL)
    assert sorted(numbers(stored(rows).dataset())) == [*range(23)]
    whole = [path for path in kept if not path.parent.name.endswith(".part")]
    assert len(whole) == 3
    assert all(path.stat().st_mtime_ns == kept[path] for path in whole)


def test_a_full_disk_is_a_sentence_and_leaves_nothing_that_looks_whole(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(small)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("no right to mount a small file system here")
    try:
        large = np.ones((64, 2500), np.float32)
        with pytest.raises(StoredError, match=r"No space left.*goes on from there"):
            materialise(large, small / "rows", batch_size=4, num_shards=4, num_workers=1)
        names = {path.name for path in (small / "rows").iterdir()}
        assert names == {"lock", "plan.json", "shard-00000"}
        with pytest.raises(StoredError, match="not whole"):
            stored(small / "rows")
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_file_cut_short_is_a_sentence(tmp_path):
    materialise(np.ones((8, 4), np.float32), tmp_path, batch_size=4, num_shards=2)
    path = tmp_path / "shard-00001" / "0.raw"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StoredError, match=r"shard-00001 in .* is not whole"):
        stored(tmp_path)


def test_what_cannot_be_stored_is_a_sentence(tmp_path):
    scalar = tf.TensorSpec((), tf.int64)
    (tmp_path / "mine.txt").touch()
    with pytest.raises(StoredError, match="holds something else"):
        materialise(scalars, tmp_path, output_signature=scalar, batch_size=2)
    place = tmp_path / "rows"
    with pytest.raises(TypeError, match="output_signature"):
        materialise(scalars, place, batch_size=2)
    with pytest.raises(TypeError, match="found int"):
        materialise(3, place, batch_size=2)
    with pytest.raises(ValueError, match="1 or more"):
        materialise(scalars, place, output_signature=scalar, batch_size=0)
    with pytest.raises(StoredError, match="unknown size"):
        materialise(scalars, place, output_signature=tf.TensorSpec((None,)), batch_size=2)
    with pytest.raises(StoredError, match="names as keys"):
        materialise(scalars, place, output_signature={3: scalar}, batch_size=2)
    materialise(scalars, place, output_signature=scalar, batch_size=2, num_shards=1)
    with pytest.raises(StoredError, match="with batch_size 2, not 3"):
        materialise(scalars, place, output_signature=scalar, batch_size=3, num_shards=1)


def test_workers_of_a_service_divide_what_is_stored_each_row_once(tmp_path):
    service = tf.data.experimental.service
    made = materialise(
        scalars, tmp_path, output_signature=tf.TensorSpec((), tf.int64), batch_size=4, num_shards=3
    )
    with Cluster(2) as cluster:
        dynamic = service.distribute(service.ShardingPolicy.DYNAMIC, cluster.target)
        assert sorted(numbers(made.dataset().apply(dynamic))) == [*range(COUNT)]


def test_it_pays_from_the_epoch_on_whose_total_is_not_more():
    for once, made, read in [(10.0, 4.0, 1.0), (9.0, 4.0, 1.0), (0.5, 4.0, 1.0), (30, 3, 2.9)]:
        pays = Payback(once, made, read)
        first = next(n for n in range(1, 1000) if once + n * read <= n * made + 1e-6)
        assert pays.epochs == first
        assert pays.gain(first) >= 1 - 1e-6
        assert first == 1 or pays.gain(first - 1) < 1
    assert "from 4 epochs on" in str(Payback(10.0, 4.0, 1.0))
    assert Payback(1.0, 1.0, 1.0).epochs is None
    assert "never" in str(Payback(1.0, 1.0, 2.0))
