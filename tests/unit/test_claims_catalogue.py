"""Every claim is whole, can be run, and its checks can come out either way."""

from __future__ import annotations

import re
from contextlib import nullcontext
from functools import partial
from unittest import mock

import numpy as np
import pytest

from helpers.claims import CLAIMS, CannotRun, Checked, Timed, claim_named, listing, run_claim
from helpers.claims.catalogue import (
    generators,
    prefetching,
    processes,
    signatures,
    tensors,
)
from helpers.claims.catalogue import operations as operations_of
from helpers.claims.looking import nodes, operations
from helpers.measure import load, save
from helpers.quiet import tf

NOTEBOOKS = {
    "00-start-here",
    "01-baseline",
    "02-inefficient-generator",
    "03-prefetched-generator",
    "04-tf-constant-generator",
    "05-output-signature",
    "06-work-in-tf-data",
    "07-cross-less-often",
    "08-many-processes",
    "14-scoreboard",
}

PHRASES = (  # what the article says, and each must be on trial
    "comparable performance",
    "numerical processing",
    "time.sleep call",
    "small pause",
    "data transformation",
    "cleaner generator",
    "hiding the Python generator",
    "marginal performance increase",
    "by copying",
    "convert the NumPy array",
    "preallocate",
    "infer the data structure each time",
    "shapes vary from element to element",
    "streamlined",
    "aggressively",
    "to tf.data operations",
    "shuffle",
    "batching",
    "map_and_batch",
    "cached",
    "tf.data.experimental.service",
    "different machines",
    "memory of a single machine",
    "not mutually exclusive",
)

every_claim = pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)


def test_there_are_enough_claims_and_no_id_twice():
    ids = [claim.id for claim in CLAIMS]
    assert len(ids) >= 20
    assert len(set(ids)) == len(ids)


@every_claim
def test_a_claim_is_whole(claim):
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", claim.id)
    assert claim.source in ("article", "TensorFlow guide", "ourselves")
    assert claim.notebook in NOTEBOOKS
    assert claim.detail and claim.varies
    for sentence in (claim.statement, claim.supports, claim.refutes):
        assert re.fullmatch(r"\S.*\S\.", sentence)
    assert len(claim.conditions) >= 2
    names = [condition.name for condition in claim.conditions]
    assert len(set(names)) == len(names)
    # They follow "it holds …" in a sentence.
    assert all(re.match(r"(behind|for|after|in|over|row by row)\b", name) for name in names)


@pytest.mark.parametrize("phrase", PHRASES)
def test_what_the_article_says_is_on_trial(phrase):
    assert [claim for claim in CLAIMS if claim.source == "article" and phrase in claim.detail]


def test_notebooks_of_the_article_have_claims():
    assert {claim.notebook for claim in CLAIMS} == NOTEBOOKS - {"00-start-here"}


@every_claim
def test_a_claim_runs_in_quick_mode_and_its_result_survives_json(claim, tmp_path):
    result = run_claim(claim)
    assert result.claim == claim.id
    assert [found.name for found in result.conditions] == [
        condition.name for condition in claim.conditions
    ]
    for found, condition in zip(result.conditions, claim.conditions, strict=True):
        assert not found.missing
        assert (found.measurement is not None) == isinstance(condition, Timed)
        if found.measurement is not None:
            assert found.measurement.settings.quick
            assert found.arm != found.measurement.baseline
    again = load(save(result, tmp_path / "claim.json"))
    assert again == result
    assert again.sentence == result.sentence


def test_the_listing_has_every_claim_with_and_without_a_verdict():
    claim = claim_named("numpy-is-copied")
    result = run_claim(claim)
    rows = {row["id"]: row for row in listing([result])}
    assert list(rows) == [claim.id for claim in CLAIMS]
    assert rows[claim.id]["verdict"] == result.verdict == "depends"
    assert rows[claim.id]["sentence"] == result.sentence
    assert rows["lean-generator"]["verdict"] is None
    assert rows["lean-generator"]["source"] == "article"


def test_an_unknown_claim_is_refused_with_the_ids_that_there_are():
    with pytest.raises(ValueError, match=r"no claim 'speed'.*conversion-costs-speed, "):
        claim_named("speed")


# Checks, each made to come out both ways


@pytest.mark.parametrize(
    ("check", "holds"),
    [
        (partial(generators.reports_the_accident, generators.source_function), True),
        (partial(generators.reports_the_accident, generators.Source), False),
        (partial(generators.second_epoch, generators.fresh), True),
        (generators.same_object_twice, False),
        (partial(tensors.is_copied, 16), True),
        (partial(tensors.is_copied, 0), False),
        (partial(tensors.may_refill, 16), True),
        (partial(tensors.may_refill, 0), False),
        (partial(signatures.takes_eager_py_func, tf.TensorSpec(None)), True),
        (partial(signatures.takes_eager_py_func, tf.TensorSpec((None,))), False),
        (partial(processes.holds_everything, lambda dataset: dataset.cache()), True),
        (partial(processes.holds_everything, lambda dataset: dataset.prefetch(2)), False),
    ],
)
def test_a_check_finds_what_is_there(check, holds):
    finding = check()
    assert finding.holds is holds
    assert finding.evidence


def test_tensors_that_are_not_converted_would_be_noticed():
    assert not tensors.needs_no_conversion().holds
    with mock.patch.object(tensors.tf, "is_tensor", lambda values: False):
        assert tensors.needs_no_conversion().holds


def test_a_tensor_with_memory_of_its_own_would_be_noticed():
    assert not signatures.is_preallocated().holds
    with mock.patch.object(signatures, "aligned", lambda shape: tensors.aligned(shape, 16)):
        assert signatures.is_preallocated().holds


def test_a_prefetch_that_nobody_adds_would_be_noticed():
    assert not prefetching.has_no_prefetch().holds
    alone = tf.data.Options()
    alone.experimental_optimization.inject_prefetch = False
    with mock.patch.object(
        prefetching, "nodes", lambda dataset: nodes(dataset.with_options(alone))
    ):
        assert prefetching.has_no_prefetch().holds


def test_a_fusion_that_is_not_there_would_be_noticed():
    assert not operations_of.is_not_fused_already().holds
    apart = tf.data.Options()
    apart.experimental_optimization.map_and_batch_fusion = False
    with mock.patch.object(
        operations_of, "nodes", lambda dataset: nodes(dataset.with_options(apart))
    ):
        assert operations_of.is_not_fused_already().holds


def test_a_from_generator_that_needs_no_signature_would_be_noticed():
    assert not signatures.runs_without_any().holds
    with mock.patch.object(signatures.tf.data.Dataset, "from_generator", lambda source: None):
        assert signatures.runs_without_any().holds


def test_map_and_batch_would_be_current_without_the_word():
    assert not operations_of.is_current().holds
    with mock.patch.object(operations_of.tf.data.experimental.map_and_batch, "__doc__", "New."):
        assert operations_of.is_current().holds


def test_operations_are_those_of_the_graph_and_its_functions():
    found = operations(tf.data.Dataset.range(3).map(lambda number: number * 2))
    assert {"RangeDataset", "MapDataset", "Mul"} <= found
    assert "PyFunc" not in found


# Parts of the arms


def test_arms_of_claims_about_one_content_yield_it():
    """Arms that claim a content are compared by it; here they are merely seen to claim one."""
    claiming = 0
    for claim in CLAIMS:
        for condition in claim.conditions:
            if isinstance(condition, Timed) and "service" not in claim.id:
                with condition.arms() as (baseline, arm):
                    assert baseline.name != arm.name
                    claiming += baseline.content is not None and baseline.content == arm.content
    assert claiming >= 20


def test_checked_conditions_take_no_arguments():
    for claim in CLAIMS:
        for condition in claim.conditions:
            if isinstance(condition, Checked):
                assert callable(condition.check)


def test_the_article_s_rows_are_its_rows():
    with generators.own(generators.new_rows, (2, 3))() as (baseline, arm):
        for made in (baseline, arm):
            for row in made.build():
                assert row.dtype == tf.float32
                assert row.shape == (2, 3)
                assert np.min(row) >= 0 and np.max(row) < 1


def test_a_service_that_does_not_start_is_said(monkeypatch):
    class Refusing:
        def __init__(self, *_):
            raise RuntimeError("no port")

    monkeypatch.setattr(processes.service, "DispatchServer", Refusing)
    result = run_claim(claim_named("service-is-faster"))
    assert result.verdict == "cannot run here"
    assert "the tf.data service does not start: no port" in result.sentence


def test_the_service_stops_cleanly_though_readers_are_left_behind():
    """Stopping a worker that still reads would hold the GIL for ever."""
    seen = []
    with pytest.raises(KeyboardInterrupt), processes.served(lambda us: None) as (_, arm):
        for row in arm.build():
            seen.append(row)
            raise KeyboardInterrupt
    assert len(seen) == 1


def test_a_worker_process_ends_with_its_block():
    children = []
    genuine = processes.subprocess.Popen

    def popen(*args, **kwargs):
        children.append(genuine(*args, **kwargs))
        return children[0]

    with mock.patch.object(processes.subprocess, "Popen", popen):
        finding = processes.works_in_another_process()
    assert not finding.holds
    assert "Could not find callback" in finding.evidence
    assert children[0].poll() is not None


def test_a_worker_process_that_cannot_start_is_said():
    with (
        mock.patch.object(processes, "WORKER", "raise SystemExit(1)"),
        mock.patch.object(processes, "local_service", lambda workers: nullcontext("grpc://x:1")),
        pytest.raises(CannotRun, match="ended before it was ready"),
    ):
        processes.works_in_another_process()
