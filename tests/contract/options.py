"""Every option of a data set, on a pipeline that gives the rewrites something to do."""

from collections.abc import Callable

from contract.seen import in_any_order, observe
from contract.transformations import is_even
from contract.use import add, total

from helpers.quiet import tf

FAMILY = "options"


def rewrites() -> list[str]:
    """The graph rewrites of the installed version, which are on or off."""
    options = tf.data.experimental.OptimizationOptions()
    return [name for name in dir(options) if not name.startswith("_")]


def _busy(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """A pipeline in which every rewrite finds what it looks for."""
    return (
        dataset.map(lambda *e: e)
        .map(lambda *e: (e, total(*e)))
        .filter(lambda e, sum_: sum_ > 0)
        .filter(lambda e, sum_: is_even(sum_) or sum_ > 9)
        .skip(0)
        .shuffle(5, seed=3)
        .repeat(2)
        .map(lambda e, sum_: sum_)
        .batch(3)
        .prefetch(2)
    )


def _with(change: Callable[[tf.data.Options], None], ordered: bool = True) -> Callable:
    def run(build):
        options = tf.data.Options()
        change(options)
        dataset = build()
        bare = observe(dataset.with_options(options), 1)
        if not ordered:
            return {
                key: in_any_order(value) if isinstance(value, list) else value
                for key, value in bare.items()
            }
        busy = observe(_busy(dataset).with_options(options), 1)
        return {"bare": bare, "in a pipeline": busy}

    return run


def _set(*path_and_value) -> Callable[[tf.data.Options], None]:
    """Sets an option: names down to it, and its value."""
    *owners, name, value = path_and_value

    def change(options):
        for owner in owners:
            options = getattr(options, owner)
        setattr(options, name, value)

    return change


add("deterministic off", FAMILY, _with(_set("deterministic", False), ordered=False), part=True)
add("autotune off", FAMILY, _with(_set("autotune", "enabled", False)), part=True)
add("autotune, one core", FAMILY, _with(_set("autotune", "cpu_budget", 1)))
add("slack", FAMILY, _with(_set("experimental_slack", True)))
add("warm start", FAMILY, _with(_set("experimental_warm_start", True)))
add("symbolic checkpoint", FAMILY, _with(_set("experimental_symbolic_checkpoint", True)))
for _threads in (1, 2):
    add(
        f"threads {_threads}",
        FAMILY,
        _with(_set("threading", "private_threadpool_size", _threads)),
        part=_threads == 1,
    )
add("intra-op threads 1", FAMILY, _with(_set("threading", "max_intra_op_parallelism", 1)))
for _name in rewrites():
    for _on in (True, False):
        add(
            f"{_name} {'on' if _on else 'off'}",
            FAMILY,
            _with(_set("experimental_optimization", _name, _on)),
            part=_on and _name in ("map_fusion", "apply_default_optimizations"),
        )
