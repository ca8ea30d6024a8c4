"""Where the generator comes from: it works with workers, or one sentence names the obstacle."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from contract.scenes import SCENES, outcomes

WHOLE = "every row"

# Scene, origin in it: every row, or what the sentence has to name.
WANTED = {
    **{
        ("one script", name): WHOLE
        for name in (
            "function",
            "closure",
            "lambda",
            "bound method",
            "callable object",
            "class method",
            "static method",
            "partial",
            "decorated function",
            "exec",
            "zip",
            "egg",
            "module that imports TensorFlow",
            "thread",
            "sys.settrace",
        )
    },
    ("one script", "after os.chdir"): f"{WHOLE}|beside",
    ("one script", "module off the path"): "off_the_path",
    ("one script", "module made by hand"): f"{WHOLE}|made_by_hand",
    ("one script", "captured lock"): "gate",
    ("one script", "captured socket"): "link",
    ("one script", "attribute of an object"): "options",
    ("one script", "captured generator"): "items",
    ("forks", "forked child"): WHOLE,
    ("forks", "beside a forked child"): WHOLE,
    ("forks", "after a forked child"): WHOLE,
    # The same code without a main guard in all of these.
    **{
        (scene, "here"): WHOLE
        for scene in ("script", "-c", "-m", "standard input", "shell", "notebook")
    },
    **{
        (scene, f"pytest, {where}"): WHOLE
        for scene in ("pytest", "pytest, importlib")
        for where in ("module", "function", "method")
    },
}


@pytest.fixture(scope="session")
def scenes(request):
    """What the scenes of this session's tests write, two at a time."""
    wanted = dict.fromkeys(
        item.callspec.params["scene"]
        for item in request.session.items
        if "scene" in getattr(getattr(item, "callspec", None), "params", {})
    )
    with ThreadPoolExecutor(2) as pool:
        texts = pool.map(lambda scene: SCENES[scene](), wanted)
        return dict(zip(wanted, texts, strict=True))


@pytest.mark.parametrize(
    ("scene", "name", "wanted"),
    [(*place, wanted) for place, wanted in WANTED.items()],
    ids=[f"{scene} × {name}" for scene, name in WANTED],
)
def test_origin(scenes, scene, name, wanted):
    found = [outcome for origin, outcome in outcomes(scenes[scene]) if origin == name]
    assert len(found) == 1, scenes[scene]  # more: a worker ran the script again
    assert any(words in found[0] for words in wanted.split("|")), found[0]
    assert not found[0].startswith("rows"), "wrong rows instead of a sentence"


def test_every_scene_is_looked_at():
    assert {scene for scene, _ in WANTED} == {*SCENES}
