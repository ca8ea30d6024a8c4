"""Ways of running TensorFlow that people look for mistakes in."""

from contract.seen import observe
from contract.use import DEBUG, EAGER, add, total

from helpers.quiet import tf

FAMILY = "debugging"
AGAIN = 3  # in debug mode a callback may die with an earlier data set, so one is not enough

for _place, _words in ((DEBUG, "debug mode"), (EAGER, "functions run eagerly")):
    add(
        f"{_words}: loop",
        FAMILY,
        lambda build: [observe(build()) for _ in range(AGAIN)],
        place=_place,
        part=_place != DEBUG,  # whether a callback lives there depends on what ran before
    )
    add(
        f"{_words}: map, shuffle",
        FAMILY,
        lambda build: observe(build().map(lambda *e: (e, total(*e))).shuffle(3, seed=3)),
        place=_place,
    )
    add(
        f"{_words}: built in flat_map",
        FAMILY,
        lambda build: observe(tf.data.Dataset.range(2).flat_map(lambda k: build())),
        place=_place,
    )
