"""The capacity's figure and sliders: what they say, and what a slider changes."""

from dataclasses import replace

import pytest

from helpers.scale import Capacity
from helpers.show import figure
from helpers.show.capacity import CapacitySliders, rates

ONE = Capacity(worker_s=0.01, busy_s=0.002, client_s=0.001, cores=4)


def test_the_figure_says_each_rate_its_limit_and_what_was_measured():
    said = figure(rates, ONE, {1: 97.0, 2: 190.0}, most=12).alt
    assert "1: 100 by workers" in said and "12: 1000 by client" in said
    assert "Measured: 1: 97; 2: 190." in said and f"Advised: {ONE.advised}." in said


def test_sliders_begin_at_the_capacity_and_change_what_they_name():
    sliders = CapacitySliders(ONE, {1: 97.0})
    assert sliders.capacity.busy_s == pytest.approx(ONE.busy_s)
    assert replace(sliders.capacity, busy_s=ONE.busy_s) == ONE
    sliders.sliders["worker_s"].value = 20.0
    assert sliders.capacity.worker_s == pytest.approx(0.02)
    assert sliders.capacity.busy_s == pytest.approx(0.004)
    sliders.sliders["cores"].value = None
    assert sliders.capacity.cores is None
    sliders.sliders["consumer_s"].value = 100.0
    assert sliders.capacity.at(4).by == "consumer"
    assert "limited by" in sliders.saved() and "<img" in sliders.saved()


def test_a_capacity_without_a_consumer_stays_so_until_its_slider_moves():
    sliders = CapacitySliders(replace(ONE, consumer_s=0.0))
    assert sliders.capacity.consumer_s == 0.0
