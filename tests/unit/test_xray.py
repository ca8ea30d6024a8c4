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
    assert generator.elements >= 20
    assert generator.processing_ns > 0
    assert [node.depth for node in seen.nodes] == [0, 1, 2, 3, 3]


def test_the_prefetch_that_tensorflow_adds_is_seen_and_can_be_switched_off():
    assert xray(_dataset()).names[0] == "Prefetch"
    options = tf.data.Options()
    options.experimental_optimization.inject_prefetch = False
    assert xray(_dataset().with_options(options)).names[0] == "FlatMap"


def test_a_map_and_the_batch_behind_it_are_seen_fused():
    mapped = _dataset().map(lambda row: row * 2, num_parallel_calls=2)
    assert "MapAndBatch" in xray(mapped.batch(4)).names
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
