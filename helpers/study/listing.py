"""From options to the text that a reader can paste, and that runs."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from . import consumers, workloads
from .options import Toggles
from .program import Block


def blocks(options: Toggles) -> list[Block]:
    """Returns the program for the options, with no more in it than they need."""
    found = [*_source(options), Block("build", _dataset(options)), *_drain(options)]
    text = "\n".join(block.text for block in found)
    standard = [name for name in ("tempfile", "time") if f"{name}." in text]
    if standard:
        standard = ["\n".join(f"import {name}" for name in standard)]
    third = ["import numpy as np"] if "np." in text else []
    third = ["\n".join([*third, "import tensorflow as tf"])]
    return [Block("setup", imports) for imports in (*standard, *third)] + found


def generator_name(options: Toggles) -> str:
    """Returns what the program calls its generator."""
    if options.work == "random" and options.yields == "tensor":
        return "even_better_generator"
    return {
        "none": "stored_generator",
        "sleep": "sleeping_generator",
        "random": "better_generator",
        "sleep+random": "inefficient_generator",
        "python": "python_generator",
        "numpy": "numpy_generator",
    }[options.work]


def _source(options: Toggles) -> list[Block]:
    """The rows, the transformation and the generator."""
    found = []
    if options.stores_rows:
        size = (options.take, *options.shape)
        found.append(Block("rows", body(workloads.stored_rows, size=size, seed=options.seed)))
    if options.transform != "none":
        found.append(Block("setup", body(workloads.transformation)))
    if options.source == "generator":
        found.append(Block("setup", _generator(options)))
    return found


def _generator(options: Toggles) -> str:
    shape, count, work_us = options.shape, options.count, options.work_us
    seconds = _seconds(work_us)
    loops = round(work_us * workloads.PYTHON_LOOPS_PER_US)
    elements = round(work_us * workloads.NUMPY_ELEMENTS_PER_US)
    text = {
        "none": lambda: body(workloads.stored, count=count),
        "sleep": lambda: body(workloads.sleeping, count=count, seconds=seconds),
        "random": lambda: body(workloads.better, shape=shape, count=count),
        "sleep+random": lambda: body(
            workloads.inefficient, shape=shape, count=count, seconds=seconds
        ),
        "python": lambda: body(workloads.busy_python, count=count, loops=loops),
        "numpy": lambda: body(workloads.busy_numpy, count=count, elements=elements),
    }[options.work]()
    if options.transform == "generator":
        text = re.sub(r"yield (.+)", r"yield scale(\1)", text)
    if options.yields == "tensor":
        text = re.sub(r"yield (.+)", r"yield tf.constant(\1)", text)
    return re.sub(r"def \w+_generator", f"def {generator_name(options)}", text)


def _dataset(options: Toggles) -> str:
    """The data set, one call a line."""
    before = []
    if options.source == "tensor_slices":
        calls = ["tf.data.Dataset.from_tensor_slices(rows)"]
    else:
        arguments = [generator_name(options), *_signature(options)]
        inner = "".join(f"    {argument},\n" for argument in arguments)
        calls = [f"tf.data.Dataset.from_generator(\n{inner})", f".take({options.take})"]
    parallel = "" if options.parallel is None else f", num_parallel_calls={_n(options.parallel)}"
    if options.transform == "map":
        calls.append(f".map(scale{parallel})")
    if options.cache == "memory":
        calls.append(".cache()")
    if options.cache == "file":
        before.append("folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)\n")
        calls.append('.cache(folder.name + "/rows")')
    if options.shuffle:
        calls.append(f".shuffle({options.shuffle}, seed={options.seed})")
    if options.batch is not None:
        calls.append(f".batch({options.batch})")
    if options.transform == "map_after_batch":
        calls.append(f".map(scale{parallel})")
    if options.epochs > 1:
        calls.append(f".repeat({options.epochs})")
    if options.prefetch == "off":
        before.append(
            "alone = tf.data.Options()  # else TensorFlow adds a prefetch of its own\n"
            "alone.experimental_optimization.inject_prefetch = False\n"
        )
        calls.append(".with_options(alone)")
    elif options.prefetch is not None:
        calls.append(f".prefetch({_n(options.prefetch)})")
    if len(calls) == 1:
        chain = calls[0]
    else:
        chain = "(\n" + textwrap.indent("\n".join(calls), "    ") + "\n)"
    return "".join(before) + f"dataset = {chain}"


def _signature(options: Toggles) -> list[str]:
    """The arguments of from_generator that say what it yields."""
    shape = repr(options.shape)
    # An empty tuple would be read as an element without components.
    shapes = shape if options.shape else "tf.TensorShape(())"
    return {
        "full": [f"output_signature=tf.TensorSpec(shape={shape}, dtype=tf.float32)"],
        "types_and_shapes": ["output_types=tf.float32", f"output_shapes={shapes}"],
        "types_only": ["output_types=tf.float32"],
        "unknown_shape": ["output_signature=tf.TensorSpec(shape=None, dtype=tf.float32)"],
    }[options.signature]


def _n(value: int | str) -> str:
    return "tf.data.AUTOTUNE" if value == "autotune" else str(value)


def _drain(options: Toggles) -> list[Block]:
    """The consumer's step, and the loop that drains the data set."""
    if options.drain == "graph":
        return [Block("setup", body(consumers.graph)), Block("drain", "drain(iter(dataset))")]
    step_us = options.step_us
    text = {
        "idle": lambda: "",
        "device": lambda: body(consumers.device, seconds=_seconds(step_us)),
        "python": lambda: body(
            consumers.python, loops=round(step_us * workloads.PYTHON_LOOPS_PER_US)
        ),
        "compute": lambda: body(
            consumers.compute, rows=round(step_us * consumers.COMPUTE_ROWS_PER_US)
        ),
        "keras": lambda: body(consumers.keras),
    }[options.consumer]()
    if not text:
        return [Block("drain", "for _ in dataset:\n    pass")]
    element = "batch" if options.batch is not None else "element"
    text = re.sub(r"def step\(\w+\)", f"def step({element})", text)
    return [Block("setup", text), Block("drain", f"for {element} in dataset:\n    step({element})")]


def body(function: Callable, **values: Any) -> str:
    """Returns what a function does as top-level statements, with parameters filled in.

    The docstring and the closing `return` are left out; comments stay.

    Args:
        function: It has a docstring, and its parameters' names mean nothing else in its body.
        **values: Literals for parameters by name; a parameter without one stays a name.
    """
    lines, _ = inspect.getsourcelines(function)
    tree = ast.parse(textwrap.dedent("".join(lines)))
    docstring, *_, last = tree.body[0].body
    text = "".join(lines[docstring.end_lineno : last.lineno - 1])
    text = textwrap.dedent(text).strip("\n")
    for name, value in values.items():
        if isinstance(value, tuple):
            text = re.sub(rf"\*{name}\b", ", ".join(map(str, value)), text)
        text = re.sub(rf"\b{name}\b", _literal(value), text)
    # A function stands two blank lines below what is above it.
    return re.sub(r"(?<=[^\n])\n\n(?=def )", "\n\n\n", text)


def _seconds(us: float) -> Decimal:
    """Microseconds as seconds, to the nanosecond that a sleep resolves."""
    return round(Decimal(str(us)).scaleb(-6), 9)


def _literal(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")  # 0.00001 and not 1e-05
    return repr(value)
