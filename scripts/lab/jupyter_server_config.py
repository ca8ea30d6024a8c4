"""What JupyterLab is told by the workbook's environment, which has this file as etc/jupyter."""

c = get_config()  # noqa: F821 - the loader provides it


def keep_as_stored(model, **_):
    """Saves a notebook without the version of the Python that showed it.

    JupyterLab notes the version as soon as a kernel is there, so that a look would change the file.
    """
    if model["type"] == "notebook":
        model["content"]["metadata"].get("language_info", {}).pop("version", None)


c.ContentsManager.pre_save_hook = keep_as_stored
