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

# (way, use): part of the sentence. The place of a Python generator cannot be saved, in tf.data as
# here; ours says what can be.
REFUSED: dict[tuple[str, str], str] = {
    **{(way, use): "from_source" for way in GENERATED for use in CHECKPOINTS},
    # What Python reads goes with the data set; tf.data's own is kept for as long as the program.
    **{
        (way, "MultiDeviceIterator, data set dropped"): "keep a reference to the data set"
        for way in WAYS
        if way not in ("array", "pandas", "pandas columns", "plain") and not WAYS[way].shuffled
    },
}

# (way, use): why ours works where tf.data raises.
WORKS_ALONE: dict[tuple[str, str], str] = {
    ("ragged", f"debug mode: {use}"): "tf.data's own ragged_batch fails in debug mode"
    for use in ("loop", "map, shuffle", "built in flat_map")
}
