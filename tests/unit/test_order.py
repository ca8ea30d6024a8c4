from collections import Counter
from itertools import islice, pairwise

import pytest

from helpers.measure.order import balanced


@pytest.mark.parametrize("count", range(2, 9))
def test_each_follows_every_other_and_has_each_place_equally_often(count):
    entries = "abcdefgh"[:count]
    cycle = count if count % 2 == 0 else 2 * count
    for begin in (0, cycle):
        rounds = list(islice(balanced(entries, 5), begin, begin + cycle))
        assert all(sorted(order) == list(entries) for order in rounds)
        follows = Counter(pair for order in rounds for pair in pairwise(order))
        assert set(follows.values()) == {cycle // count}
        assert len(follows) == count * (count - 1)
        places = Counter(pair for order in rounds for pair in enumerate(order))
        assert set(places.values()) == {cycle // count}
        assert len(places) == count * count


def test_a_seed_gives_one_order_and_another_seed_another():
    def first(seed):
        return list(islice(balanced("abcd", seed), 20))

    assert first(1) == first(1)
    assert len({tuple(first(seed)) for seed in range(5)}) == 5


def test_a_second_process_goes_on_where_the_first_one_ended():
    whole = list(islice(balanced("abc", 2), 9))
    assert list(islice(balanced("abc", 2, skip=4), 5)) == whole[4:]
