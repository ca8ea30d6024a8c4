import os

import psutil
import pytest

from helpers.bench.running import run_part
from helpers.bench.workloads import WORKLOADS
from helpers.measure import Arm, Processes, Settings, compare, together
from helpers.measure.isolation import Child

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("no_keras")]

SETTINGS = Settings(min_rounds=4, max_rounds=4, warmup_rounds=0)


def _seen(folder):
    def build():
        (folder / str(os.getpid())).touch()
        return range(1000)

    return build


def test_each_process_is_fresh_serves_again_and_ends(tmp_path):
    told = []
    with Processes(2) as processes:
        for _ in range(2):
            parts = processes.each(
                compare, [Arm("a", _seen(tmp_path))], settings=SETTINGS,
                on_progress=lambda place, progress: told.append((place, progress.rounds)),
            )  # fmt: skip
            assert together(parts, SETTINGS).processes == 2
    pids = {int(path.name) for path in tmp_path.iterdir()}
    assert len(pids) == 2
    assert os.getpid() not in pids
    assert told == [(0, 1), (0, 2), (1, 1), (1, 2)] * 2
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_after_a_failure_another_process_takes_the_place(tmp_path):
    def build():
        raise KeyError("boo")

    with Processes(2) as processes:
        with pytest.raises(KeyError, match="boo"):
            processes.each(compare, [Arm("a", build)], settings=SETTINGS)
        parts = processes.each(compare, [Arm("a", _seen(tmp_path))], settings=SETTINGS)
    assert len(parts) == 2
    assert len(list(tmp_path.iterdir())) == 2


def test_a_process_measures_its_part_of_a_benchmark():
    workload = WORKLOADS["ragged"].shortened()
    with Child() as child:
        part = child.call(run_part, workload, False, place=1, on_progress=lambda *_: None)
    assert part.workload == "ragged"
    assert part.measurements[0].settings == Settings.default()
