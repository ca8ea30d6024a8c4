"""`workbook contract`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from .terminal import FAILED, progress, say, sentences

TESTS = Path(__file__).parents[2] / "tests"


def contract(
    brief: Annotated[bool, typer.Option("--brief", help="Only a representative part.")] = False,
    markdown: Annotated[
        Path | None, typer.Option(help="Also write the table to this file, as docs/contract.md.")
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Also write every cell to this file.")] = None,
    fuzz: Annotated[
        int, typer.Option(help="Instead, compare so many random structures with tf.data.")
    ] = 0,
    chaos: Annotated[
        int, typer.Option(help="Instead, open, break, drop and kill in so many rounds.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Seed of --fuzz and --chaos.")] = 0,
) -> None:
    """Hold the bridge to tf.data under every use that TensorFlow has for a data set."""
    with sentences():
        if not (TESTS / "contract").is_dir():
            raise ValueError(
                "the contract is among the tests, which come with the repository and not with the "
                "installed package: run this in a clone of it"
            )
        sys.path.insert(0, str(TESTS))
        runs: Any = importlib.import_module("contract.run")
        slices: Any = importlib.import_module("contract.slices")
        if fuzz or chaos:
            failed = False
            if fuzz:
                tally = slices.fuzz(fuzz, seed, say)
                say(tally.text())
                failed |= bool(tally.differences)
            if chaos:
                report = slices.chaos(chaos, seed)
                say(report.text())
                failed |= not report.is_clean
        else:
            with progress() as bar:
                task = bar.add_task("cells", total=None)
                result = runs.run(
                    not brief, lambda done, total, _: bar.update(task, completed=done, total=total)
                )
            say(result.text())
            if markdown is not None:
                importlib.import_module("contract.result").write_whole(markdown, result.markdown())
            if json is not None:
                result.write(json)
            failed = result.count("different") > 0
    if failed:
        raise typer.Exit(FAILED)
