"""Becomes a test file in a folder of its own: generators of tests, with asserts rewritten."""

import pytest
from telling import COUNT, told


def rows(shard, num_shards):
    assert num_shards == 2
    yield from range(shard, COUNT, num_shards)


@pytest.fixture
def limit():
    return COUNT


def test_of_a_module():
    told("pytest, module", rows)


def test_of_a_test(limit):
    def inner(shard, num_shards):
        yield from range(shard, limit, num_shards)

    told("pytest, function", inner)


class TestClass:
    def rows(self, shard, num_shards):
        yield from range(shard, COUNT, num_shards)

    def test_of_a_method(self):
        told("pytest, method", self.rows)
