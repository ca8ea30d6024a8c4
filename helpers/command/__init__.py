"""The command `workbook`: a file for each subcommand, put together here."""

from __future__ import annotations

import typer

from . import (
    bench,
    claims,
    cluster,
    compare,
    contract,
    doctor,
    refresh,
    report,
    reproduce,
    room,
    selfcheck,
    share,
)

app = typer.Typer(
    help="Keep tf.data fast when the data comes from Python: measure, reproduce, check.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command()(reproduce.reproduce)
app.command()(compare.compare)
app.command()(report.report)
app.command()(share.share)
app.command()(room.room)
app.command()(claims.claims)
app.command()(refresh.refresh)
app.command()(selfcheck.selfcheck)
app.command()(contract.contract)
app.command()(doctor.doctor)
app.add_typer(bench.bench_app, name="bench")
app.add_typer(cluster.cluster_app, name="cluster")

__all__ = ["app"]
