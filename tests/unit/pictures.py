"""A folder of pictures, for tests with workers. It imports no TensorFlow."""

import numpy as np
from PIL import Image


class Pictures:
    """A folder of JPEG files."""

    def __init__(self, folder):
        self.paths = sorted(map(str, folder.glob("*.jpg")))

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        with Image.open(self.paths[index]) as image:
            return np.asarray(image)
