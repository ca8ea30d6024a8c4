"""Importing TensorFlow quietly, each case in a process of its own."""

import os
import subprocess
import sys
import textwrap

import nbclient
import nbformat
import pytest

NOISY = """
import contextlib, os
with contextlib.suppress(OSError): os.write(2, b'a line from C++\\n')
"""


def run(code, *, fake_tensorflow=None, tmp_path=None, env=(), **options):
    """Run code in a fresh Python, with a stand-in for TensorFlow when one is given."""
    variables = dict(os.environ)
    variables.pop("TF_CPP_MIN_LOG_LEVEL", None)
    variables.update(env)
    if fake_tensorflow is not None:
        tmp_path.joinpath("tensorflow.py").write_text(fake_tensorflow)
        variables["PYTHONPATH"] = str(tmp_path)
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=variables,
        capture_output=True,
        text=True,
        **options,
    )


FAKE = NOISY + textwrap.dedent(
    """
    class config:
        @staticmethod
        def list_physical_devices():
            with contextlib.suppress(OSError): os.write(2, b'no GPU here\\n')
    """
)

DATA_SETS = """
    import numpy as np
    from helpers.quiet import tf

    rows = lambda: iter(np.zeros((300, 100, 100), np.float32))
    for _ in range(2):
        data = tf.data.Dataset.from_generator(rows, output_signature=tf.TensorSpec((100, 100)))
        data = data.batch(8).map(lambda x: x + 1, num_parallel_calls=-1).prefetch(-1)
        for _ in data:
            pass
        _ = data.reduce(0, lambda count, _: count + 1)
        last = iter(data.take(1))
        last.get_next()
        try:
            last.get_next()
        except tf.errors.OutOfRangeError:
            pass
"""


def test_the_real_tensorflow_and_its_data_sets_write_nothing():
    done = run(DATA_SETS)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_notebook_shows_nothing_of_it_and_keeps_its_standard_error(monkeypatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # under it, a kernel does not capture descriptor 2
    code = textwrap.dedent(DATA_SETS).strip()
    after = "import os, sys\nprint('by Python', file=sys.stderr)\nos.system('echo by a shell >&2');"
    book = nbformat.v4.new_notebook()
    book.cells = [nbformat.v4.new_code_cell(code), nbformat.v4.new_code_cell(after)]
    nbclient.NotebookClient(book, kernel_name="python3", timeout=120).execute()
    assert book.cells[0].outputs == []
    text = "".join(output.get("text", "") for output in book.cells[1].outputs)
    assert "by Python" in text
    if os.name != "nt":
        assert "by a shell" in text


def test_the_stand_in_is_noisy_without_it(tmp_path):
    done = run("import tensorflow", fake_tensorflow=FAKE, tmp_path=tmp_path)
    assert done.stderr == "a line from C++\n"


def test_silent_while_importing_and_only_then(tmp_path):
    code = """
        import os, sys
        print('before', file=sys.stderr)
        from helpers.quiet import tf
        print('after', file=sys.stderr, flush=True)
        os.write(2, b'after, below Python\\n')
    """
    done = run(code, fake_tensorflow=FAKE, tmp_path=tmp_path)
    assert done.stderr == "before\nafter\nafter, below Python\n"


@pytest.mark.parametrize(
    "first",
    ["from helpers.quiet import tf", "quieten_later(); import tensorflow as tf"],
    ids=["ours", "somebody else's"],
)
def test_keras_is_left_for_its_first_use_and_is_there_then(first):
    code = f"""
        import sys
        from helpers.quiet import quieten_later
        {first}
        assert not any(name.startswith("keras.src.optim") for name in sys.modules)
        adam = tf.keras.optimizers.Adam
        import keras
        assert keras.optimizers.Adam is adam and adam(0.5).learning_rate == 0.5
    """
    done = run(code)
    assert done.returncode == 0, done.stderr


def test_an_import_that_fails_leaves_keras_to_be_imported(tmp_path):
    done = run(
        """
        import sys
        try:
            from helpers.quiet import tf
        except RuntimeError:
            assert "keras.src.optimizers" not in sys.modules
            print("whole")
        """,
        fake_tensorflow="raise RuntimeError('no')",
        tmp_path=tmp_path,
    )
    assert done.stdout == "whole\n", done.stderr


def test_a_failing_import_is_shown_whole(tmp_path):
    broken = NOISY + "raise ImportError('a library is missing')\n"
    done = run("from helpers.quiet import tf", fake_tensorflow=broken, tmp_path=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("a line from C++\nTraceback")
    assert done.stderr.endswith("ImportError: a library is missing\n")


def test_a_crash_inside_the_import_leaves_a_word(tmp_path):
    code, crash = "from helpers.quiet import tf", "import os; os.abort()"
    done = run(code, fake_tensorflow=crash, tmp_path=tmp_path)
    assert done.returncode != 0
    assert "Fatal Python error" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="closes a descriptor before exec")
def test_without_standard_error(tmp_path):
    code = "from helpers.quiet import tf; print('imported')"
    done = run(code, fake_tensorflow=FAKE, tmp_path=tmp_path, preexec_fn=lambda: os.close(2))
    assert (done.returncode, done.stdout) == (0, "imported\n")


@pytest.mark.parametrize(("before", "level"), [({}, "2"), ({"TF_CPP_MIN_LOG_LEVEL": "0"}, "0")])
def test_the_log_level_is_a_default(before, level, tmp_path):
    code = "import os; from helpers.quiet import tf; print(os.environ['TF_CPP_MIN_LOG_LEVEL'])"
    done = run(code, fake_tensorflow=FAKE, tmp_path=tmp_path, env=before)
    assert done.stdout == level + "\n"


def test_somebody_elses_import_is_silent_too(tmp_path):
    code = """
        import os, sys
        from helpers.quiet import quieten_later
        finders = list(sys.meta_path)
        quieten_later()
        assert "tensorflow" not in sys.modules
        os.write(2, b"before\\n")
        import tensorflow
        os.write(2, b"after\\n")
        print(os.environ["TF_CPP_MIN_LOG_LEVEL"], sys.meta_path == finders)
    """
    done = run(code, fake_tensorflow=FAKE, tmp_path=tmp_path)
    assert (done.stdout, done.stderr) == ("2 True\n", "before\nafter\n")


def test_only_asking_for_tensorflow_imports_it():
    code = "import sys, helpers.quiet, helpers.bridge; print('tensorflow' in sys.modules)"
    assert run(code).stdout == "False\n"


def test_helpers_alone_import_no_tensorflow():
    done = run("import sys, helpers; print('tensorflow' in sys.modules, 'numpy' in sys.modules)")
    assert done.stdout == "False False\n"
