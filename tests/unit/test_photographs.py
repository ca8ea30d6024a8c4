"""The folder of JPEG files that notebooks make: real pictures, each of them its photograph's."""

from pathlib import Path

import numpy as np
from PIL import Image

from helpers.sources.photographs import photographs, write_crops


def test_every_photograph_is_shipped_in_colour():
    found = photographs()
    assert len(found) == 8
    for picture in found.values():
        assert picture.dtype == np.uint8
        assert picture.shape[2] == 3
        assert min(picture.shape[:2]) >= 256


def test_a_crop_lies_in_the_folder_of_its_photograph(tmp_path):
    paths, labels = write_crops(tmp_path / "made", 40)
    names = list(photographs())
    assert sorted(paths) == sorted(map(str, (tmp_path / "made").rglob("*.jpg")))
    assert [Path(path).parent.name for path in paths] == [names[label] for label in labels]
    sizes = set()
    for path in paths:
        with Image.open(path) as picture:
            sizes.add(picture.size)
    assert len(sizes) > 30
    assert all(160 <= side <= 256 for size in sizes for side in size)


def test_a_seed_writes_the_same_files(tmp_path):
    def written(folder, seed):
        paths, labels = write_crops(tmp_path / folder, 5, seed=seed)
        return [Path(path).read_bytes() for path in paths], labels.tolist()

    assert written("a", 1) == written("b", 1) != written("c", 2)
