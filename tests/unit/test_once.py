"""Built once in each process, and sent without what was built."""

import cloudpickle

from helpers.measure import Once


def test_it_is_built_once_and_travels_as_what_builds_it():
    made = []

    def build():
        made.append(1)
        return len(made), lambda: None  # a lambda, which pickle would refuse

    once = Once(build)
    assert not made
    assert once() is once()
    assert made == [1]
    there = cloudpickle.loads(cloudpickle.dumps(once))
    assert there() is there()
    assert there() is not once()
