"""The benchmark of the bridge: the ways from Python into TensorFlow, side by side."""
