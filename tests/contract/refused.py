"""The cells that are not held to what tf.data does, and why."""

from contract.ways import WAYS

GENERATED = [way.name for way in WAYS.values() if way.from_generator]

CHECKPOINTS = (
    "checkpoint",
    "checkpoint, same data set",
    "checkpoint before the first",
    "checkpoint at the end",
    "checkpoint in the second epoch",
    "checkpoint of a pipeline",
    "checkpoint manager",
)

# What Python reads, in this process or in workers.
READ = [
    way
    for way in WAYS
    if way not in ("array", "pandas", "pandas columns", "plain") and not WAYS[way].shuffled
]
DROPPED = (
    "Dataset.from_tensors",
    "MultiDeviceIterator, data set dropped",
    "tf.data service, registered",
    "to_variant, from_variant",
)
LOSSES = ("keep a reference to the data set", "Could not find callback")

# (way, use): part of the sentence. The place of a Python generator cannot be saved, in tf.data as
# here; ours says what can be.
REFUSED: dict[tuple[str, str], str] = {
    **{(way, use): "from_source" for way in GENERATED for use in CHECKPOINTS},
    # What Python reads goes with the data set; tf.data's own is kept for as long as the program.
    **{(way, use): "keep a reference to the data set" for way in READ for use in DROPPED},
}

# (way, use). In debug mode TensorFlow runs a data set's functions in Python, and may lose the
# callbacks of those built in them ("Could not find callback"): of tf.data's own, too, each time in
# `flat_map(lambda _: from_generator(...).map(f).take(3))`.
MAY_BE_LOST = {
    (way, f"debug mode: {use}")
    for way in READ
    for use in ("loop", "map, shuffle", "built in flat_map")
}

# (way, use): why ours works where tf.data raises.
WORKS_ALONE: dict[tuple[str, str], str] = {
    ("ragged", f"debug mode: {use}"): "tf.data's own ragged_batch fails in debug mode"
    for use in ("loop", "map, shuffle", "built in flat_map")
}
