"""What docs/cluster says to run: commands that exist, names and ports that agree."""

import re
from pathlib import Path

import pytest
import typer
import yaml

from helpers.command import app

DOCS = Path(__file__).parents[2] / "docs" / "cluster"
COMPOSE = yaml.safe_load((DOCS / "compose.yml").read_text())
MANIFESTS = list(yaml.safe_load_all((DOCS / "kubernetes.yaml").read_text()))


def start_options():
    """The options of `workbook cluster start`, with whether each takes a value."""
    command = typer.main.get_command(app).commands["cluster"].commands["start"]
    return {name: not one.is_flag for one in command.params for name in one.opts}


def parsed(arguments):
    """Options and values of a command line, as `workbook cluster start` takes them."""
    command = typer.main.get_command(app).commands["cluster"].commands["start"]
    return command.make_context("start", list(arguments)).params


def containers():
    found = {name: service["command"] for name, service in COMPOSE["services"].items()}
    for one in MANIFESTS:
        for container in (
            one.get("spec", {}).get("template", {}).get("spec", {}).get("containers", ())
        ):
            found[f"{one['kind']} {container['name']}"] = container["args"]
    return found


@pytest.mark.parametrize("arguments", containers().values(), ids=containers())
def test_every_container_runs_a_command_that_exists(arguments):
    told = parsed(arguments)
    if told["dispatcher"]:
        assert told["workers"] >= 1 and told["dispatcher"] == "dispatcher:5050"
    else:
        assert (told["workers"], told["port"], told["work_dir"]) == (0, 5050, "/journal")


def test_every_command_of_the_page_exists():
    page = (DOCS / "README.md").read_text()
    lines = re.findall(r"^workbook cluster start (.*)$", page, re.MULTILINE)
    assert len(lines) == 3
    for line in lines:
        assert parsed(line.split())["host"].startswith("10.0.0.")


def test_names_and_ports_agree():
    by_kind = {(one["kind"], one["metadata"]["name"]): one["spec"] for one in MANIFESTS}
    dispatcher = by_kind["StatefulSet", "dispatcher"]
    service = by_kind["Service", "dispatcher"]
    labels = dispatcher["template"]["metadata"]["labels"]
    assert service["selector"] == labels == dispatcher["selector"]["matchLabels"]
    (container,) = dispatcher["template"]["spec"]["containers"]
    ports = {service["ports"][0]["port"], container["ports"][0]["containerPort"],
             container["readinessProbe"]["tcpSocket"]["port"]}  # fmt: skip
    assert ports == {5050}
    (claim,) = dispatcher["volumeClaimTemplates"]
    assert container["volumeMounts"][0]["name"] == claim["metadata"]["name"]
    worker = by_kind["Deployment", "worker"]
    assert worker["selector"]["matchLabels"] == worker["template"]["metadata"]["labels"]
    guarded = by_kind["NetworkPolicy", "tfdata-servers"]["podSelector"]["matchExpressions"][0]
    assert set(guarded["values"]) == {"dispatcher", "worker"}


def test_nothing_is_open_to_others():
    assert COMPOSE["networks"]["served"]["internal"] is True
    assert all("ports" not in service for service in COMPOSE["services"].values())
    assert all(one["spec"].get("type") in (None, "ClusterIP") for one in MANIFESTS
               if one["kind"] == "Service")  # fmt: skip


def test_the_image_copies_what_there_is():
    root = DOCS.parents[1]
    copied = re.findall(r"^COPY (.*) \S+$", (DOCS / "Dockerfile").read_text(), re.MULTILINE)
    assert all((root / name).exists() for line in copied for name in line.split())
