import numpy as np
import pytest

from helpers.diagnose import python_operations, xray
from helpers.measure import load, save
from helpers.quiet import tf


def _rows():
    for index in range(40):
        yield np.full(3, index, np.float32)


def _dataset(spec=None):
    spec = spec or tf.TensorSpec((3,), tf.float32)
    return tf.data.Dataset.from_generator(_rows, output_signature=spec)


def test_nodes_from_the_consumer_to_the_generator():
    seen = xray(_dataset().batch(4).prefetch(2), elements=5)
    assert seen.names == ("Prefetch", "BatchV2", "FlatMap", "FromTensor", "Generator")
    generator = seen.nodes[-1]
    assert generator.elements >= 12  # what was ready when the first came is not counted
    assert generator.processing_ns > 0
    assert [node.depth for node in seen.nodes] == [0, 1, 2, 3, 3]


def test_what_passes_between_the_nodes_is_told():
    seen = xray(_dataset().batch(4).prefetch(2))
    passed = {node.name: (node.gives, node.element_bytes) for node in seen.nodes}
    assert passed["Generator"] == ("float32 (3,)", 12)
    assert passed["BatchV2"] == passed["Prefetch"] == ("float32 (None, 3)", 48)
    assert {node.rewrite for node in seen.nodes} == {""}


def test_several_inputs_each_have_their_own():
    both = tf.data.Dataset.zip((_dataset(), tf.data.Dataset.range(40)))
    gives = {node.name: node.gives for node in xray(both.batch(2)).nodes}
    assert gives["Zip"] == "float32 (3,), int64 ()"
    assert (gives["FlatMap"], gives["Range"]) == ("float32 (3,)", "int64 ()")
    many = _dataset().map(lambda row: (row, row, row, row))
    assert "4 components" in {node.gives for node in xray(many).nodes}


def test_a_step_that_runs_within_the_function_of_another_is_no_rewrite():
    rows = _dataset()
    seen = xray(tf.data.Dataset.range(2).interleave(lambda _: rows.batch(2), cycle_length=2))
    rewritten = {node.name: node.rewrite for node in seen.nodes}
    assert rewritten.pop("Prefetch") == "added"
    assert set(rewritten.values()) == {""}


def test_steps_that_run_under_a_longer_name_were_written_all_the_same():
    seen = xray(_dataset().skip(1).repeat(2).take(30).batch(2).prefetch(2))
    assert seen.names[:5] == ("Prefetch", "BatchV2", "FiniteTake", "FiniteRepeat", "FiniteSkip")
    assert {node.rewrite for node in seen.nodes} == {""}
    endless = xray(_dataset().repeat().prefetch(2))
    assert endless.names[1] == "ForeverRepeat"
    assert {node.rewrite for node in endless.nodes} == {""}


def test_steps_that_were_optimised_away_do_not_confuse():
    seen = xray(_dataset().skip(0).take(-1).batch(4).with_options(tf.data.Options()))
    gives = {node.name: node.gives for node in seen.nodes}
    assert gives["BatchV2"] == "float32 (None, 3)"
    assert gives["FlatMap"] == "float32 (3,)"


def test_the_prefetch_that_tensorflow_adds_is_seen_and_can_be_switched_off():
    first = xray(_dataset().prefetch(2).batch(4)).nodes[0]
    assert (first.name, first.rewrite) == ("Prefetch", "added")
    assert first.gives == "float32 (None, 3)"
    options = tf.data.Options()
    options.experimental_optimization.inject_prefetch = False
    assert xray(_dataset().with_options(options)).names[0] == "FlatMap"


def test_a_map_and_the_batch_behind_it_are_seen_fused():
    mapped = _dataset().map(lambda row: row * 2, num_parallel_calls=2)
    fused = xray(mapped.batch(4)).nodes[0]
    assert (fused.name, fused.rewrite) == ("MapAndBatch", "fused")
    assert fused.gives == "float32 (None, 3)"
    assert "MapAndBatch" not in xray(mapped).names


def test_an_unknown_shape_is_seen_to_choose_the_slow_callback():
    assert python_operations(_dataset()) == ("PyFunc",)
    assert python_operations(_dataset(tf.TensorSpec(None, tf.float32))) == ("EagerPyFunc", "PyFunc")
    assert python_operations(tf.data.Dataset.range(3)) == ()


def test_text_html_and_file(tmp_path):
    seen = xray(_dataset().batch(4))
    assert "Generator" in str(seen) and "<td" in seen._repr_html_()
    assert load(save(seen, tmp_path / "x.json")) == seen


def test_a_pipeline_that_ends_and_one_without_a_model_are_sentences():
    with pytest.raises(ValueError, match="ends after 2 elements"):
        xray(_dataset().take(2))
    options = tf.data.Options()
    options.autotune.enabled = False
    with pytest.raises(ValueError, match="autotune"):
        xray(_dataset().with_options(options))
