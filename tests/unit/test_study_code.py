"""What runs is what is read: the text, run on its own, is the pipeline."""

import ast
import inspect
import linecache
import runpy
import subprocess
import sys
from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from helpers.quiet import tf
from helpers.study import CHOICES, EXAMPLES, PipelineOptions, consumers, listing, workloads
from helpers.study.running import Running

SMALL = {"shape": (2, 3), "count": 40, "take": 10, "work_us": 2, "step_us": 2}


@st.composite
def any_options(draw):
    """Options that make sense, small enough to run by the dozen; Keras is too slow for that."""
    pick = {name: draw(st.sampled_from(names)) for name, names in CHOICES.items()}
    take = draw(st.integers(1, 9))
    batch = draw(st.none() | st.integers(1, 5))
    shape = draw(st.sampled_from([(), (3,), (2, 3)]))
    pick["consumer"] = "python" if pick["consumer"] == "keras" else pick["consumer"]
    if pick["source"] == "tensor_slices":
        pick.update(work="none", yields="numpy", signature="full")
        pick["transform"] = {"generator": "map"}.get(pick["transform"], pick["transform"])
    if "random" in pick["work"]:
        shape = shape or (4,)
    if pick["transform"] == "map_after_batch":
        batch = batch or 2
    if pick["drain"] == "graph":
        pick["consumer"] = "idle"
    parallel = draw(st.none() | st.just("autotune") | st.integers(1, 3))
    return PipelineOptions(
        **pick,
        work_us=draw(st.floats(0, 30)),
        step_us=draw(st.integers(0, 30)),
        shape=shape,
        take=take,
        count=take + draw(st.integers(0, 3)),
        batch=batch,
        prefetch=draw(st.sampled_from([None, "autotune", "off", 1, 3])),
        parallel=parallel if "map" in pick["transform"] else None,
        shuffle=draw(st.integers(0, 4)),
        epochs=draw(st.integers(1, 2)),
        seed=draw(st.integers(0, 3)),
    )


def run(text, folder):
    """Runs a text as a reader does, from a file of its own; returns its globals."""
    path = folder / "pasted.py"
    path.write_text(text, encoding="utf-8")
    linecache.checkcache()
    return runpy.run_path(str(path))


def drained(dataset):
    """What a data set yields; what np.random draws for it is always the same."""
    np.random.seed(0)
    return [element.numpy() for element in dataset]


def operations(dataset):
    """The operations of a data set's graph, its functions' included, and its small constants."""
    graph = tf.compat.v1.GraphDef.FromString(
        tf.raw_ops.DatasetToGraphV2(input_dataset=dataset._variant_tensor).numpy()
    )
    found = []
    for nodes in [graph.node, *(function.node_def for function in graph.library.function)]:
        for node in nodes:
            found.append(node.op)
            value = node.attr["value"].tensor
            if node.op == "Const" and value.dtype == tf.int64.as_datatype_enum:
                found.append(str(tf.make_ndarray(value).tolist()))
    return sorted(found)


def assert_same(one, other):
    assert one.element_spec == other.element_spec
    assert operations(one) == operations(other)
    theirs, ours = drained(one), drained(other)
    assert len(theirs) == len(ours)
    for a, b in zip(theirs, ours, strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype == np.float32


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(options=any_options())
def test_the_text_run_on_its_own_is_the_pipeline(options, tmp_path_factory):
    np.random.seed(0)
    pasted = run(options.code(), tmp_path_factory.mktemp("reader"))
    built = options.dataset()
    # The text has drained its own data set once, which a shuffle and a cache remember.
    first = drained(built)
    assert_same(pasted["dataset"], built)
    assert sum(len(element) if options.batch else 1 for element in first) == options.examples


ROWS = np.random.default_rng(5).random((10, 2, 3), dtype=np.float32)
SPEC = tf.TensorSpec((2, 3), tf.float32)


def by_hand_slices():
    return tf.data.Dataset.from_tensor_slices(ROWS).map(lambda x: 2.0 * x - 1.0).batch(4)


def by_hand_article():
    def generator():
        for _ in range(40):
            yield np.random.rand(2, 3).astype(np.float32)

    return tf.data.Dataset.from_generator(generator, output_signature=SPEC).take(10).prefetch(-1)


def by_hand_constant():
    def generator():
        for i in range(40):
            yield tf.constant(2 * ROWS[i % 10] - 1)

    dataset = tf.data.Dataset.from_generator(generator, output_types=tf.float32)
    dataset = dataset.take(10).cache().shuffle(4, seed=5).batch(3).repeat(2)
    options = tf.data.Options()
    options.experimental_optimization.inject_prefetch = False
    return dataset.with_options(options)


def by_hand_batches():
    dataset = tf.data.Dataset.from_generator(
        lambda: iter(ROWS), output_types=tf.float32, output_shapes=tf.TensorShape((2, 3))
    )
    return dataset.take(10).batch(4).map(lambda x: 2.0 * x - 1.0, num_parallel_calls=2).prefetch(3)


@pytest.mark.parametrize(
    ("values", "by_hand"),
    [
        ({"source": "tensor_slices", "transform": "map", "batch": 4}, by_hand_slices),
        ({"work": "sleep+random", "prefetch": "autotune"}, by_hand_article),
        (
            {"yields": "tensor", "transform": "generator", "signature": "types_only", "shuffle": 4,
             "cache": "memory", "batch": 3, "epochs": 2, "prefetch": "off"},
            by_hand_constant,
        ),
        (
            {"signature": "types_and_shapes", "batch": 4, "transform": "map_after_batch",
             "parallel": 2, "prefetch": 3},
            by_hand_batches,
        ),
    ],
)  # fmt: skip
def test_the_pipeline_is_what_one_would_write_by_hand(values, by_hand):
    assert_same(by_hand(), PipelineOptions(**SMALL, seed=5, **values).dataset())


def test_the_switch_keeps_tensorflow_from_adding_a_prefetch():
    def nodes(prefetch):
        iterator = iter(PipelineOptions(**SMALL, prefetch=prefetch).dataset())
        next(iterator)
        model = tf.data.experimental.get_model_proto(iterator)
        return [node.name for node in model.nodes.values()]

    assert "Prefetch" in nodes(None)  # though none is written
    assert "Prefetch" not in nodes("off")


FRESH = [
    EXAMPLES["inefficient_prefetched"],
    EXAMPLES["constant"],
    EXAMPLES["article_baseline"],
    PipelineOptions(work="numpy", transform="map", parallel="autotune", drain="graph"),
    PipelineOptions(work="python", signature="unknown_shape", cache="file", consumer="compute"),
    PipelineOptions(
        work="sleep", batch=4, transform="map_after_batch", consumer="keras", shuffle=5, prefetch=1
    ),
]


def test_the_texts_run_in_a_fresh_python_without_helpers_or_warnings(tmp_path):
    script = ["import runpy, sys"]
    for number, options in enumerate(FRESH):
        path = tmp_path / f"pasted_{number}.py"
        text = replace(options, **{**SMALL, "shape": (4, 3)}).code()
        path.write_text(text, encoding="utf-8")
        script.append(f"print(runpy.run_path({str(path)!r})['dataset'].cardinality().numpy())")
    script.append("assert 'helpers' not in sys.modules")
    ran = subprocess.run(
        [sys.executable, "-I", "-c", "\n".join(script)],
        capture_output=True, text=True, cwd=tmp_path, timeout=120,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert len(ran.stdout.split()) == len(FRESH)
    assert "AutoGraph" not in ran.stderr and "WARNING:tensorflow" not in ran.stderr
    assert "Traceback" not in ran.stderr


def test_building_and_draining_write_nothing_to_standard_error(capfd):
    PipelineOptions(**SMALL).dataset()  # whatever TensorFlow says once, it says now
    capfd.readouterr()
    for values in ({"transform": "map"}, {"drain": "graph"}, {"signature": "types_and_shapes"},
                   {"cache": "file"}, {"signature": "types_only"}):  # fmt: skip
        for _ in PipelineOptions(**SMALL, **values).build():
            pass
    assert capfd.readouterr().err == ""


def test_a_traceback_shows_the_line_of_the_text():
    options = PipelineOptions(**SMALL)
    function = Running(options).namespace["stored_generator"]
    assert inspect.getsource(function) in options.code()
    line = options.code().splitlines()[function.__code__.co_firstlineno - 1]
    assert line == "def stored_generator():"


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_articles_examples_stay_recognisable(name):
    code = EXAMPLES[name].code()
    if name == "article_baseline":
        assert "tf.data.Dataset.from_tensor_slices(rows)" in code
        return
    assert ("time.sleep(0.00001)" in code) == name.startswith("inefficient")
    assert "range(10000)" in code and "take(1000)" in code
    row = "np.random.rand(100, 100).astype(np.float32)"
    assert (f"yield tf.constant({row})" if "constant" in name else f"yield {row}") in code
    assert (".prefetch(tf.data.AUTOTUNE)" in code) == name.endswith("prefetched")
    assert "output_signature=tf.TensorSpec(shape=(100, 100), dtype=tf.float32)" in code
    function = {"inef": "inefficient", "bett": "better", "cons": "even_better"}[name[:4]]
    assert f"def {function}_generator():" in code


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(options=any_options())
def test_the_text_has_only_what_it_needs(options):
    code = options.code()
    tree = ast.parse(code)
    assert code.endswith("\n") and "\n\n\n\n" not in code
    assert max(map(len, code.splitlines())) <= 100
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert (node.names[0].asname or node.names[0].name) in used
        if isinstance(node, ast.FunctionDef):
            assert node.name in used
    assert "helpers" not in code


def test_ruff_finds_nothing_to_say_about_the_texts(tmp_path):
    ruff = pytest.importorskip("ruff")
    for number, options in enumerate(FRESH):
        (tmp_path / f"text_{number}.py").write_text(options.code(), encoding="utf-8")
    ran = subprocess.run(
        [ruff.find_ruff_bin(), "check", "--isolated", "--preview", "--select", "E,F,I,W,B007",
         "--ignore", "E501", str(tmp_path)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout


def test_the_functions_themselves_do_what_the_text_does():
    rows = workloads.stored_rows(size=(4, 2), seed=1)
    np.testing.assert_array_equal(rows, workloads.stored_rows(size=(4, 2), seed=1))
    assert rows.dtype == np.float32 and (rows >= 0).all() and (rows < 1).all()
    for make in (workloads.stored, workloads.sleeping, workloads.busy_python, workloads.busy_numpy):
        generator = make(rows, 6)
        for _ in range(2):  # a new pass starts over
            np.testing.assert_array_equal(list(generator()), rows[[0, 1, 2, 3, 0, 1]])
    for make in (workloads.inefficient, workloads.better):
        made = list(make((3, 2), 4)())
        assert [row.shape for row in made] == [(3, 2)] * 4 and made[0].dtype == np.float32
    scale = workloads.transformation()
    assert scale(rows).dtype == np.float32
    np.testing.assert_array_equal(scale(rows), scale(tf.constant(rows)).numpy())
    for step in (consumers.device(0), consumers.python(1), consumers.compute(1)):
        assert step(rows) is None


def test_the_body_of_a_function_becomes_top_level_statements():
    text = listing.body(workloads.busy_numpy, count=3, elements=5)
    assert text.startswith("block = np.ones(5)\n\n\ndef numpy_generator():\n    for i in range(3):")
    assert "return" not in text and '"""' not in text
    assert "  # work in NumPy: frees the GIL" in text
    assert "random((3, 4)," in listing.body(workloads.stored_rows, size=(3, 4), seed=0)


def test_a_sleep_is_written_as_one_would_write_it():
    def sleep(us):
        code = PipelineOptions(work="sleep", work_us=us).code()
        return next(line.split("#")[0].strip() for line in code.splitlines() if "sleep(" in line)

    assert sleep(10) == "time.sleep(0.00001)"
    assert sleep(33.3) == "time.sleep(0.0000333)"
    assert sleep(1_000_000) == "time.sleep(1)"
    assert sleep(1e-66) == "time.sleep(0)"
