"""The first line of an error names the user's own code."""

import json
import pickle

import numpy as np
import pytest

from helpers.bridge.chunks import Chunks, Plan, Workspace
from helpers.bridge.errors import GeneratorError, MismatchError, as_kind, kind_of, told
from helpers.bridge.structure import Component, Layout


def caught(function):
    try:
        function()
    except BaseException as error:
        return error
    raise AssertionError("no error")


def fails():
    raise KeyError("no such image")


def test_the_line_that_raised():
    error = caught(fails)
    first, *others = told(error).splitlines()
    line = error.__traceback__.tb_next.tb_lineno
    assert first == (
        f"KeyError: 'no such image', at {__file__}:{line} in fails: "
        'raise KeyError("no such image")'
    )
    assert [other.endswith("in caught: function()") for other in others] == [True]


def test_a_notebooks_cell_is_not_a_path_that_nobody_can_open():
    space = {}
    exec(compile("def fails():\n    raise KeyError(1)", "/tmp/ipykernel_12/345.py", "exec"), space)
    first = told(caught(space["fails"])).splitlines()[0]
    assert first == "KeyError: 1, at line 2 of a notebook's cell, in fails"


def test_ones_own_line_comes_before_those_of_libraries():
    error = caught(lambda: json.loads("{"))
    first, *others = told(error).splitlines()
    assert first.startswith("json.decoder.JSONDecodeError: Expecting property name")
    assert f"at {__file__}:" in first
    assert first.endswith('json.loads("{"))')
    through = [other for other in others if other.startswith("  through ")]
    assert any("decoder.py:" in other for other in through)


def test_libraries_alone():
    error = caught(lambda: json.loads("{"))
    traceback = error.__traceback__
    while traceback.tb_frame.f_code.co_filename == __file__:
        traceback = traceback.tb_next
    first = told(error.with_traceback(traceback)).splitlines()[0]
    assert "decoder.py:" in first


def test_an_error_without_a_traceback():
    assert told(ValueError("bare")) == "ValueError: bare"
    assert told(StopIteration()) == "StopIteration"


def lines_of(error):
    """The first line, and those that say what it was raised from."""
    first, *others = told(error).splitlines()
    return [first.partition(", at ")[0]] + [
        line.partition(", at ")[0] for line in others if line.startswith("from ")
    ]


def test_causes_follow():
    def with_cause():
        try:
            fails()
        except KeyError as error:
            raise RuntimeError("outer") from error

    def in_passing():
        try:
            fails()
        except KeyError:
            raise RuntimeError("outer")  # noqa: B904

    def suppressed():
        try:
            fails()
        except KeyError:
            raise RuntimeError("outer") from None

    both = ["RuntimeError: outer", "from KeyError: 'no such image'"]
    assert lines_of(caught(with_cause)) == lines_of(caught(in_passing)) == both
    assert lines_of(caught(suppressed)) == both[:1]


def test_causes_in_a_circle_end():
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    assert lines_of(first) == ["ValueError: first", "from ValueError: second"]


def test_kinds_are_those_that_tensorflow_tells_apart():
    assert kind_of(UnicodeError()) is ValueError
    assert kind_of(KeyError()) is RuntimeError
    assert as_kind(GeneratorError, RuntimeError) is GeneratorError
    assert as_kind(MismatchError, TypeError) is MismatchError
    made = as_kind(GeneratorError, ValueError)
    assert made is as_kind(GeneratorError, ValueError)
    assert made.__name__ == "GeneratorError"
    assert issubclass(made, (GeneratorError, ValueError))
    assert str(made("text")) == "text"
    with pytest.raises(pickle.PicklingError):  # which is why workers send name and kind
        pickle.dumps(made("text"))


def chunks_of(rows):
    layout = Layout(0, (Component("component", np.dtype(np.float32), (2,)),))
    plan = Plan(layout, 2, False, None, (), 1)
    return Chunks(rows, plan, Workspace.of(layout))


def test_a_mismatch_names_the_line_that_yielded_it():
    def rows():
        yield np.zeros(2)
        yield np.zeros(3)  # this line

    error = caught(lambda: next(chunks_of(rows)))
    assert type(error) is MismatchError
    line = rows.__code__.co_firstlineno + 2
    assert str(error) == (
        "example 1, component: expected shape (2,), found shape (3,), "
        f"yielded at {__file__}:{line} in rows"
    )


def test_an_error_of_a_generator_leaves_the_bridge_out():
    def rows():
        yield np.zeros(2)
        fails()

    error = caught(lambda: next(chunks_of(rows)))
    assert isinstance(error, GeneratorError)
    first, *others = str(error).splitlines()
    assert first.startswith("example 1: KeyError: 'no such image', at ")
    assert first.endswith('in fails: raise KeyError("no such image")')
    assert [other.endswith("in rows: fails()") for other in others] == [True]
