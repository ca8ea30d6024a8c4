"""Plausible wrong answers to each exercise: code in the place of the start, and what is said."""


def _promised(*ways: str) -> str:
    """The dictionary of 13-promise with these ways."""
    uses = (
        "one epoch, no row twice",
        "endless, and a lost worker costs no row",
        "slow rows, the same in each of ten epochs",
    )
    return f"promise = {dict(zip(uses, ways, strict=True))!r}"


WRONG: dict[str, dict[str, str]] = {
    "00-batches": {
        "mine = PipelineOptions(batch=50)": "the prefetch is missing",
        "mine = PipelineOptions(prefetch='autotune')": "still single rows",
        "mine = PipelineOptions(batch=50, prefetch=50)": "a fixed number of elements",
        "mine = PipelineOptions(batch=50, prefetch='off')": "forbids every prefetch",
        "mine = PipelineOptions(source='tensor_slices', batch=50, prefetch='autotune')": (
            "the same generator was asked for"
        ),
        "mine = PipelineOptions(batch=500, prefetch='autotune')": "A batch holds 500 rows",
        "mine = PipelineOptions(batch=50, prefetch='autotune', cache='memory')": (
            "nobody asked for that"
        ),
        "mine = dict(batch=50, prefetch='autotune')": "not a dict",
    },
    "00-ratio": {
        "reported = 2": "Upside down",
        "reported = float(np.median(baseline) / np.median(arm))": "ratio of the medians",
        "reported = sum(baseline) / sum(arm)": "ratio of the sums",
        "reported = np.mean(np.divide(baseline, arm))": "mean of the ratios",
        "reported = max(np.divide(baseline, arm))": "the best round",
        "reported = 0.7": "0.7 is not the median",
        "reported = '0.5x'": "not a str",
    },
    "01-drain": {
        "mine = PipelineOptions(source='tensor_slices', batch=32)": "A Python loop still pulls",
        "mine = PipelineOptions(source='tensor_slices', drain='graph')": "batches are missing",
        "mine = PipelineOptions(batch=32, drain='graph')": "this is a generator",
        "mine = PipelineOptions(source='tensor_slices', batch=64, drain='graph')": "holds 64 rows",
    },
    "01-memory": {
        "gigabytes = 50_000 * 100 * 100 * 4 / 1e9": "That is the array alone",
        "gigabytes = 2 * 50_000 * 100 * 100 * 8 / 1e9": "float32 has 4",
        "gigabytes = 50_000 * 100 * 100 / 1e9": "how many numbers there are",
        "gigabytes = 2 * 50_000 * 100 * 100 * 4 / 1e6": "1 GB is 1000 MB",
        "gigabytes = 6": "One too many",
        "gigabytes = 2 * 50_000 * 100 * 100 * 4 / 2**30": "3.72529 GB it is not",
    },
    "02-ten-at-a-time": {
        "def ten_at_a_time(rows):\n    for at in range(0, 60, 10):\n"
        "        yield list(rows[at : at + 10])": "a list of 10 arrays",
        "def ten_at_a_time(rows):\n    for at in range(0, 50, 10):\n"
        "        yield rows[at : at + 10]": "never came. The chunks do not reach",
        "def ten_at_a_time(rows):\n    for at in range(6):\n"
        "        yield rows[at : at + 10]": "The chunks overlap",
        "def ten_at_a_time(rows):\n    for at in range(0, 60, 10):\n"
        "        yield np.concatenate(rows[at : at + 10])": "need a new axis in front",
        "def ten_at_a_time(rows):\n    for at in range(0, 60, 10):\n"
        "        yield rows[at]": "a single row still",
        "def ten_at_a_time(rows):\n    yield rows": "All rows come at once",
        "def ten_at_a_time(rows):\n    for at in range(0, 60, 20):\n"
        "        yield rows[at : at + 20]": "Element 0 holds 20 rows",
        "def ten_at_a_time(rows):\n    for at in range(50, -1, -10):\n"
        "        yield rows[at : at + 10]": "not in their order",
        "def ten_at_a_time(rows):\n    for at in range(0, 60, 10):\n"
        "        yield tf.constant(rows[at : at + 10])": "is a tensor",
        "def ten_at_a_time(rows):\n    for at in range(0, 60, 10):\n"
        "        yield rows[at : at + 10].astype(float)": "holds float64",
        "def ten_at_a_time(rows):\n    return [rows[0]][3]": "IndexError",
    },
    "02-crossings": {
        "crossings = {k: 10 for k in ('rows, then batch(32)', 'chunks of 40, then rebatch(32)')}": (
            "`batch` stands behind the crossing"
        ),
        "crossings = {'rows, then batch(32)': 320, 'chunks of 40, then rebatch(32)': 10}": (
            "the chunks have 40 rows"
        ),
        "crossings = {'rows, then batch(32)': 320, 'chunks of 40, then rebatch(32)': 320}": (
            "crosses as one element"
        ),
        "crossings = {'rows, then batch(32)': 320, 'chunks of 40, then rebatch(32)': 40}": (
            "is a size"
        ),
        "crossings = {'rows, then batch(32)': 320, 'chunks of 40, then rebatch(32)': ...}": (
            "has no answer yet"
        ),
        "crossings = {'rows, then batch(32)': 321, 'chunks of 40, then rebatch(32)': 8}": (
            "not what the check counted"
        ),
        "crossings = 328": "A dictionary is wanted",
    },
    "03-two-batches": {
        'mine = replace(EXAMPLES["better"], batch=50, prefetch=2)': "should be a Keras step",
        'mine = replace(EXAMPLES["better"], batch=50, consumer="keras")': "a prefetch of its own",
        'mine = replace(EXAMPLES["better"], batch=50, consumer="keras", prefetch=100)': (
            "hold 5000 rows"
        ),
        'mine = replace(EXAMPLES["better"], batch=50, consumer="keras", prefetch="autotune")': (
            "leaves the size to TensorFlow"
        ),
        'mine = replace(EXAMPLES["better"], batch=50, consumer="device", prefetch=2)': (
            "'device' only stands for a step"
        ),
        'mine = replace(EXAMPLES["inefficient"], batch=50, consumer="keras", prefetch=2)': (
            "Example 2 has no sleep"
        ),
        'mine = replace(EXAMPLES["constant"], batch=50, consumer="keras", prefetch=2)': (
            "That is Example 3"
        ),
    },
    "03-without-prefetch": {
        "def without_prefetch(dataset):\n    return dataset.prefetch(1)": "because you wrote one",
        "def without_prefetch(dataset):\n    return dataset.map(lambda row: row)": (
            "TensorFlow's rewrite put it there"
        ),
        "def without_prefetch(dataset):\n    off = tf.data.Options()\n"
        "    off.autotune.enabled = False\n    return dataset.with_options(off)": (
            "tuning of every size"
        ),
        "def without_prefetch(dataset):\n    off = tf.data.Options()\n"
        "    off.experimental_optimization.apply_default_optimizations = False\n"
        "    return dataset.with_options(off)": "every rewrite that is on by default",
        "def without_prefetch(dataset):\n    off = tf.data.Options()\n"
        "    off.experimental_optimization.inject_prefetch = False\n"
        "    dataset.with_options(off)": "should return a data set",
        "def without_prefetch(dataset):\n    return dataset.take(10)": "the same rows",
    },
    "04-mended": {
        "def mended(values):\n    for row in values:\n        yield tf.constant(row)": (
            "is a tensor"
        ),
        "def mended(values):\n    for row in values:\n        yield row.astype(np.float64)": (
            "have to undo"
        ),
        "def mended(values):\n    for row in values:\n        yield row.astype(np.float32)": (
            "each row was copied first"
        ),
        "def mended(values):\n    for row in values:\n        yield row.tolist()": "a list of 4",
        "def mended(values):\n    yield values": "All rows come at once",
        "def mended(values):\n    for row in values[1:]:\n        yield row": "Row 0 never came",
        "def mended(values):\n    for row in values:\n        return row": "is a float32",
    },
    "04-at-once": {
        "def at_once(rng, count):\n    for _ in range(count):\n"
        "        yield rng.random((100, 100))": "holds float64",
        "def at_once(rng, count):\n    for _ in range(count):\n"
        "        yield np.float32(rng.random((100, 100)))": "64-bit numbers were made first",
        "def at_once(rng, count):\n"
        "    yield from rng.random((count, 100, 100), dtype=np.float32)": (
            "made before the first is yielded"
        ),
        "def at_once(rng, count):\n    for _ in range(count):\n"
        "        yield np.zeros((100, 100), np.float32)": "`rng` was never asked",
        "def at_once(rng, count):\n    row = rng.random((100, 100), dtype=np.float32)\n"
        "    for _ in range(count):\n        yield row": "all the same",
        "def at_once(rng, count):\n    for _ in range(count):\n"
        "        yield tf.constant(rng.random((100, 100), dtype=np.float32))": "is a tensor",
        "def at_once(rng, count):\n    while True:\n"
        "        yield rng.random((100, 100), dtype=np.float32)": "`count` asks for 6",
    },
    "05-pairs": {
        "signature = (tf.TensorSpec((28, 28), tf.uint8), tf.TensorSpec((), tf.int32))": (
            "refuses the others"
        ),
        "signature = (tf.TensorSpec((None, None), tf.uint8), tf.TensorSpec((), tf.int32))": (
            "less than is known"
        ),
        "signature = (tf.TensorSpec((None, 28), tf.float32), tf.TensorSpec((), tf.int32))": (
            "float32 would convert"
        ),
        "signature = (tf.TensorSpec((None, 28, 1), tf.uint8), tf.TensorSpec((), tf.int32))": (
            "two dimensions, and the signature 3"
        ),
        "signature = (tf.TensorSpec((None, 28), tf.uint8), tf.TensorSpec((1,), tf.int32))": (
            "a single number"
        ),
        "signature = (tf.TensorSpec((None, 28), tf.uint8), tf.TensorSpec((), tf.int64))": (
            "the signature says int64"
        ),
        "signature = (tf.TensorSpec(None, tf.uint8), tf.TensorSpec((), tf.int64))": (
            "the slow way, through EagerPyFunc"
        ),
        "signature = tf.TensorSpec((None, 28), tf.uint8)": "A pair is wanted",
        "signature = (tf.uint8, tf.int32)": "Each of the two is a tf.TensorSpec",
    },
    "05-padded": {
        "def padded(lines):\n    spec = tf.TensorSpec(None, tf.float32)\n"
        "    rows = tf.data.Dataset.from_generator(lines, output_signature=spec)\n"
        "    return rows.padded_batch(4, padded_shapes=[None])": "go the slow way",
        "def padded(lines):\n    spec = tf.TensorSpec((None,), tf.float32)\n"
        "    rows = tf.data.Dataset.from_generator(lines, output_signature=spec)\n"
        "    return rows.ragged_batch(4)": "These batches are ragged",
        "def padded(lines):\n    spec = tf.TensorSpec((None,), tf.float32)\n"
        "    rows = tf.data.Dataset.from_generator(lines, output_signature=spec)\n"
        "    return rows.padded_batch(8)": "The batches hold 8 rows",
        "def padded(lines):\n    spec = tf.TensorSpec((None,), tf.float32)\n"
        "    rows = tf.data.Dataset.from_generator(lines, output_signature=spec)\n"
        "    return rows.padded_batch(4, padded_shapes=[9])": "only needs to be as wide",
        "def padded(lines):\n    spec = tf.TensorSpec((None,), tf.float32)\n"
        "    rows = tf.data.Dataset.from_generator(lines, output_signature=spec)\n"
        "    return rows.padded_batch(4, padding_values=-1.0)": "with zeros behind them",
        "def padded(lines):\n    spec = tf.TensorSpec((None,), tf.float32)\n"
        "    rows = tf.data.Dataset.from_generator(lines, output_signature=spec)\n"
        "    return rows.batch(4)": "InvalidArgumentError",
        "def padded(lines):\n    spec = tf.TensorSpec((None,), tf.float32)\n"
        "    return tf.data.Dataset.from_generator(lines, output_signature=spec)": (
            "should be a float32 table"
        ),
    },
    "06-lean": {
        "mine = PipelineOptions(transform='generator', batch=64)": "still scales each row in",
        "mine = PipelineOptions(transform='map', batch=64, parallel='autotune')": (
            "is called for each row"
        ),
        "mine = PipelineOptions(transform='map_after_batch', batch=64)": "waits for the other",
        "mine = PipelineOptions(transform='map_after_batch', batch=64, parallel=4)": (
            "fixes the number of calls"
        ),
        "mine = PipelineOptions(batch=64)": "it should move, not vanish",
        "mine = PipelineOptions(transform='map_after_batch', batch=32, parallel='autotune')": (
            "holds 32 rows"
        ),
        "mine = PipelineOptions(source='tensor_slices', transform='map_after_batch', batch=64,"
        " parallel='autotune')": "still come from the generator",
    },
    "06-cached": {
        "def cached(rows, costly, augment):\n    return rows.cache().map(costly).map(augment)": (
            "costly runs more than once"
        ),
        "def cached(rows, costly, augment):\n    return rows.map(costly).map(augment).cache()": (
            "the same noise"
        ),
        "def cached(rows, costly, augment):\n    return rows.map(augment).cache().map(costly)": (
            "augment runs before costly"
        ),
        "def cached(rows, costly, augment):\n    return rows.map(costly).cache()": (
            "through costly and then through augment"
        ),
        "def cached(rows, costly, augment):\n"
        "    return rows.map(costly).cache().shuffle(8, seed=1).map(augment)": (
            "nobody asked for a shuffle"
        ),
        "def cached(rows, costly, augment):\n    rows.map(costly).cache().map(augment)": (
            "should return a data set"
        ),
    },
    "07-chunked": {
        "def chunked(rows, size):\n    rows = list(rows)\n"
        "    for at in range(0, len(rows), size):\n"
        "        yield np.stack(rows[at : at + size])": "asked for before the first chunk",
        "def chunked(rows, size):\n    chunk = []\n    for row in rows:\n"
        "        chunk.append(row)\n        if len(chunk) == size:\n"
        "            yield np.stack(chunk)\n            chunk = []": "The last chunk is smaller",
        "def chunked(rows, size):\n    buffer = np.zeros((size, 3), np.float32)\n"
        "    stream = iter(rows)\n    while chunk := list(islice(stream, size)):\n"
        "        buffer[: len(chunk)] = chunk\n        yield buffer[: len(chunk)]": (
            "they share one buffer"
        ),
        "def chunked(rows, size):\n    stream = iter(rows)\n"
        "    while chunk := list(islice(stream, size)):\n        yield chunk": "a list of rows",
        "def chunked(rows, size):\n    stream = iter(rows)\n"
        "    while chunk := list(islice(stream, size)):\n        yield np.concatenate(chunk)": (
            "joined along their own"
        ),
        "def chunked(rows, size):\n    for at in range(0, 10, size):\n"
        "        yield rows[at : at + size]": "TypeError in the line `yield rows[at : at + size]`",
        "def chunked(rows, size):\n    stream = iter(rows)\n"
        "    while chunk := list(islice(stream, 2 * size)):\n        yield np.stack(chunk)": (
            "The chunks hold 8 and 2 rows"
        ),
        "def chunked(rows, size):\n    for row in rows:\n        yield row[np.newaxis].copy()": (
            "The chunks hold 1, 1"
        ),
        "def chunked(rows, size):\n    chunk = []\n    for row in rows:\n"
        "        if len(chunk) == size:\n            yield np.stack(chunk)\n"
        "            chunk = []\n        chunk.append(row)\n    yield np.stack(chunk)": (
            "5 rows are asked for before the first"
        ),
    },
    "07-copied": {
        "copied = dict.fromkeys(arrays, True)": "do not all fare alike",
        "copied = dict.fromkeys(arrays, False) | {'whole.T': True, 'whole[:, 1:]': True}": (
            "400 bytes further"
        ),
        "copied = dict.fromkeys(arrays, True) | {'whole': False}": "again a multiple of 64",
        "copied = dict.fromkeys(arrays, False) | {'whole.T': True, 'whole.ravel()[100:]': True}": (
            "a number that does not belong to it"
        ),
        "copied = dict.fromkeys(arrays, True) | dict.fromkeys(['whole', 'whole[1:]', 'whole.T'],"
        " False)": "not behind each other",
        "copied = dict.fromkeys(arrays, False) | {'whole': True}": "lies in one piece",
        "copied = dict.fromkeys(arrays, 'yes')": "True or False",
        "copied = {'whole': False}": "A dictionary is wanted",
    },
    "08-sharded": {
        "def sharded(load, shard, num_shards):\n    size = 10 // num_shards\n"
        "    for number in range(shard * size, (shard + 1) * size):\n"
        "        yield load(number)": "a block",
        "def sharded(load, shard, num_shards):\n    for number in range(10):\n"
        "        row = load(number)\n        if number % num_shards == shard:\n"
        "            yield row": "should not even load",
        "def sharded(load, shard, num_shards):\n"
        "    for number in range(shard + 1, 10, num_shards):\n        yield load(number)": (
            "counted from 0"
        ),
        "def sharded(load, shard, num_shards):\n    for number in range(0, 10):\n"
        "        yield load(number) ": "every worker would do all of the work",
        "def sharded(load, shard, num_shards):\n    for number in range(shard, 10, 3):\n"
        "        yield load(number)": "Shard 0 of 2 has the rows 0, 3, 6 and 9",
        "def sharded(load, shard, num_shards):\n    for number in range(num_shards, shard):\n"
        "        yield load(number)": "has no rows",
    },
    "08-sendable": {
        "def readings(path):\n    file = open(path)\n\n    def rows():\n        file.seek(0)\n"
        "        for line in file:\n            yield np.float32(line)\n\n    return rows": (
            "holds an open file"
        ),
        "def readings(path):\n    lines = (line for line in path.read_text().splitlines())\n\n"
        "    def rows():\n        for line in lines:\n            yield np.float32(line)\n\n"
        "    return rows": "It cannot be sent",
        "def readings(path):\n    with open(path) as file:\n        lines = list(file)\n\n"
        "    def rows():\n        for line in lines:\n            yield np.float32(line)\n\n"
        "    return rows": "read when the generator is made",
        "def readings(path):\n    def rows():\n        with open(path) as file:\n"
        "            yield from file\n\n    return rows": "are text now",
        "def readings(path):\n    def rows():\n        with open(path) as file:\n"
        "            for line in file:\n                yield float(line)\n\n    return rows": (
            "are float now"
        ),
        "def readings(path):\n    with open(path) as file:\n        for line in file:\n"
        "            yield np.float32(line)": "should return the generator function",
        "def readings(path):\n    def rows():\n        with open(path) as file:\n"
        "            for line in list(file)[::-1]:\n                yield np.float32(line)\n\n"
        "    return rows": "in their order",
    },
    "09-packed": {
        "def packed_readings(readings):\n    for reading in readings:\n"
        "        yield np.array([*reading.values()], np.float32)": "keys in another order",
        "def packed_readings(readings):\n    for reading in readings:\n"
        "        yield np.array([*reading.values()])": "holds float64",
        "def packed_readings(readings):\n    for reading in readings:\n"
        "        yield [reading[name] for name in ('time', 'temperature', 'pressure')]": (
            "a list of 3"
        ),
        "def packed_readings(readings):\n    for reading in readings:\n"
        "        yield {name: np.float32(value) for name, value in reading.items()}": (
            "a dictionary still"
        ),
        "def packed_readings(readings):\n    for reading in readings:\n"
        "        yield np.array([[value] for value in reading.values()], np.float32)": "a column",
        "def packed_readings(readings):\n    for reading in readings:\n"
        "        yield np.array([reading[name] for name in sorted(reading)], np.float32)": (
            "in this order"
        ),
    },
    "09-apart": {
        "def apart(batch):\n    time, temperature, pressure = batch[0], batch[1], batch[2]\n"
        "    return {'time': time, 'temperature': temperature, 'pressure': pressure}": (
            "is row 0 of the batch"
        ),
        "def apart(batch):\n    return {name: batch[:, at : at + 1] for at, name in"
        " enumerate(('time', 'temperature', 'pressure'))}": "has no second axis",
        "def apart(batch):\n    temperature, time, pressure = tf.unstack(batch, axis=1)\n"
        "    return {'time': time, 'temperature': temperature, 'pressure': pressure}": (
            "“time” should be column 0"
        ),
        "def apart(batch):\n"
        "    cut = tf.numpy_function(lambda b: list(b.T), [batch], [tf.float32] * 3)\n"
        "    return dict(zip(('time', 'temperature', 'pressure'), cut))": "call Python for each",
        "def apart(batch):\n    return tuple(tf.unstack(batch, axis=1))": (
            "A dictionary of time, temperature and pressure"
        ),
        "def apart(batch):\n    time, temperature, pressure = tf.unstack(batch)\n"
        "    return {'time': time, 'temperature': temperature, 'pressure': pressure}": (
            "ValueError in the line"
        ),
    },
    "10-counted": {
        "def counted(count):\n    row = np.zeros(4, np.float32)\n"
        "    for number in range(count):\n        row[:] = number\n        yield row[:]": (
            "look at the same memory"
        ),
        "def counted(count):\n    row = np.zeros(4, np.float32)\n"
        "    for number in range(count):\n        row += number\n        yield row": (
            "one and the same array"
        ),
        "def counted(count):\n    for number in range(count):\n"
        "        yield np.full(4, float(number))": "holds float64",
        "def counted(count):\n    row = np.zeros(4, np.float32)\n"
        "    for number in range(count):\n        yield row.copy()\n        row[:] = number": (
            "holds other numbers than before"
        ),
        "def counted(count):\n    for number in range(count):\n        yield [number] * 4": (
            "a list of 4"
        ),
    },
    "10-ahead": {
        "def ahead(fetch, count):\n    with ThreadPoolExecutor(8) as pool:\n"
        "        for number in range(count):\n"
        "            yield pool.submit(fetch, number).result()": "never more than one request",
        "def ahead(fetch, count):\n    with ThreadPoolExecutor(2) as pool:\n"
        "        yield from pool.map(fetch, range(count))": "2 requests at the same time",
        "def ahead(fetch, count):\n    from concurrent.futures import as_completed\n\n"
        "    with ThreadPoolExecutor(8) as pool:\n"
        "        asked = [pool.submit(fetch, number) for number in range(count)]\n"
        "        for one in as_completed(asked):\n            yield one.result()": (
            "not in their order"
        ),
        "def ahead(fetch, count):\n    with ThreadPoolExecutor(8) as pool:\n"
        "        for number in range(count):\n            yield pool.submit(fetch, number)": (
            "a promise of a row"
        ),
        "def ahead(fetch, count):\n    with ThreadPoolExecutor(8) as pool:\n"
        "        list(pool.map(fetch, range(count)))\n"
        "        yield from pool.map(fetch, range(count))": "asked 24 times",
        "def ahead(fetch, count):\n    with ThreadPoolExecutor(8) as pool:\n"
        "        for at in range(0, count - 8, 8):\n"
        "            yield from pool.map(fetch, range(at, at + 8))": "never came",
    },
    "11-columns": {
        "def columns(cursor):\n    while some := cursor.fetchmany(100):\n"
        "        for time, value in some:\n            yield time, value": "is tuple; a dictionary",
        "def columns(cursor):\n    while some := cursor.fetchmany(100):\n"
        "        yield {'time': some}": "has the keys 'time'",
        "def columns(cursor):\n    while some := cursor.fetchmany(100):\n"
        "        times, values = zip(*some)\n        yield {'time': times, 'value': values}": (
            "'time' of element 0 is a tuple of 100"
        ),
        "def columns(cursor):\n    while some := cursor.fetchmany(100):\n"
        "        times, values = zip(*some)\n"
        "        yield {'time': np.array(times), 'value': np.array(values, np.float32)}": (
            "'value' of element 0 holds float32"
        ),
        "def columns(cursor):\n    while some := cursor.fetchmany(100):\n"
        "        for row in some:\n"
        "            yield {'time': np.array(row[:1]), 'value': np.array(row[1:])}": (
            "came as 250 elements"
        ),
        "def columns(cursor):\n    times, values = zip(*cursor.fetchmany(100))\n"
        "    yield {'time': np.array(times), 'value': np.array(values)}": "100 of the 250 rows",
        "def columns(cursor):\n    while some := cursor.fetchmany(100):\n"
        "        times, values = zip(*some[::-1])\n"
        "        yield {'time': np.array(times), 'value': np.array(values)}": "in its order",
        "def columns(cursor):\n    return iter([])": "No rows came",
    },
    "11-counted": {
        "def readings(load, numbers, left_out):\n    for number in numbers:\n"
        "        try:\n            yield load(number)\n        except ValueError:\n"
        "            pass": "in silence",
        "def readings(load, numbers, left_out):\n    for number in numbers:\n"
        "        try:\n            yield load(number)\n        except Exception:\n"
        "            left_out.append(number)": "a KeyError, is taken for a bad file",
        "def readings(load, numbers, left_out):\n    for number in numbers:\n"
        "        try:\n            yield load(number)\n        except ValueError:\n"
        "            left_out.append(number)\n            return": "Only the rows 0, 1 and 2 came",
        "def readings(load, numbers, left_out):\n    for number in numbers:\n"
        "        try:\n            yield load(number)\n        except ValueError:\n"
        "            left_out.append(number)\n            yield None": "leave nothing in its place",
        "def readings(load, numbers, left_out):\n    for number in numbers:\n"
        "        try:\n            yield load(number)\n        except KeyError:\n"
        "            left_out.append(number)": "still ends the epoch",
        "def readings(load, numbers, left_out):\n    for number in numbers:\n"
        "        try:\n            yield load(number)\n        except ValueError as error:\n"
        "            left_out.append(error)": "should have the numbers 3, 7 and 8",
    },
    "12-weighted": {
        "def weighted(dataset, weights):\n"
        "    return dataset.map(lambda inputs, labels: (inputs, labels, weights))": (
            "the weights of the classes"
        ),
        "def weighted(dataset, weights):\n    return dataset.map(lambda inputs, labels: "
        "(inputs, labels, tf.gather(weights, labels)[:, None]))": "are a column",
        "def weighted(dataset, weights):\n    return dataset.map(lambda inputs, labels: "
        "(inputs, tf.gather(weights, labels), labels))": "labels are no longer second",
        "def weighted(dataset, weights):\n    return dataset.map(lambda inputs, labels: "
        "(inputs * tf.gather(weights, labels)[:, None], labels))": "The inputs are changed",
        "def weighted(dataset, weights):\n    return dataset.map(lambda inputs, labels: "
        "(inputs, labels, tf.gather(weights[::-1], labels)))": "at the place of its own label",
        "def weighted(dataset, weights):\n"
        "    return dataset.map(lambda inputs, labels: (inputs, labels, labels))": (
            "the labels, perhaps"
        ),
    },
    "12-endless": {
        "def endless(dataset, rows, batch_size):\n"
        "    return dataset.batch(batch_size), -(-rows // batch_size)": "ends after 3 batches",
        "def endless(dataset, rows, batch_size):\n"
        "    return dataset.batch(batch_size).repeat(), None": "how many steps",
        "def endless(dataset, rows, batch_size):\n"
        "    return dataset.batch(batch_size).repeat(), rows": "is the number of rows",
        "def endless(dataset, rows, batch_size):\n"
        "    return dataset.batch(batch_size).repeat(), rows // batch_size": "leaves it out",
        "def endless(dataset, rows, batch_size):\n"
        "    return dataset.repeat().batch(batch_size), -(-rows // batch_size)": (
            "reaches across the border"
        ),
        "def endless(dataset, rows, batch_size):\n"
        "    return dataset.batch(batch_size).repeat()": "Two things are wanted",
    },
    "13-promise": {
        _promised("OFF", "OFF", "materialise"): "two workers give each row twice",
        _promised("DYNAMIC", "DYNAMIC", "materialise"): "takes what it was given",
        _promised("DYNAMIC", "OFF", "DYNAMIC"): "slow rows ten times over",
        _promised("materialise", "OFF", "materialise"): "the writing does not pay",
        _promised("dynamic", "OFF", "materialise"): "the ways are",
    },
    "13-pays": {
        "def pays_after(once_s, made_s, read_s):\n"
        "    return once_s / (made_s - read_s) if made_s > read_s else None": "epochs are whole",
        "def pays_after(once_s, made_s, read_s):\n"
        "    return once_s // (made_s - read_s) if made_s > read_s else None": "not paid yet",
        "def pays_after(once_s, made_s, read_s):\n    return -int(-once_s // made_s)": (
            "saves the difference"
        ),
        "def pays_after(once_s, made_s, read_s):\n"
        "    return max(1, -int(-once_s // max(made_s - read_s, 1e-9)))": "it never pays",
        "def pays_after(once_s, made_s, read_s):\n    return None": "it does pay",
    },
    "14-advice": {
        "advice = 'prefetch'": "the step waits for the rest",
        "advice = 'interleave'": "share one GIL",
        "advice = 'tf.constant'": "it stays as it was",
        "advice = 'threads'": "none of them",
        "advice = 2": "not a int",
    },
    "14-verdict": {
        "def verdict(arm, noise):\n    return 'faster'": "0.5× to 0.6×",
        "def verdict(arm, noise):\n"
        "    if arm[0] > 1:\n        return 'faster'\n"
        "    return 'slower' if arm[1] < 1 else 'unclear'": "1× is not enough",
        "def verdict(arm, noise):\n"
        "    middle = (arm[0] + arm[1]) / 2\n"
        "    if noise[0] <= middle <= noise[1]:\n        return 'unclear'\n"
        "    return 'faster' if middle > noise[1] else 'slower'": "its low end is not",
        "def verdict(arm, noise):\n"
        "    if arm[0] > max(1, noise[1]):\n        return 'faster'\n"
        "    return 'slower' if arm[1] < min(1, noise[0]) else 'unclear'": "and not 1×",
        "def verdict(arm, noise):\n"
        "    if arm[0] >= noise[1]:\n        return 'faster'\n"
        "    return 'slower' if arm[1] <= noise[0] else 'unclear'": "share a point",
        "def verdict(arm, noise):\n    return arm[0] > noise[1]": "and True is none",
        "def verdict(arm):\n    return 'unclear'": "its own",
    },
}
