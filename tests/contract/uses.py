"""All uses, in the order of the table."""

from contract import (
    backends,
    debugging,
    fitting,
    keeping,
    loops,
    nesting,
    options,
    strategies,
    transformations,
)
from contract import use as table

FAMILIES = [
    *(
        module.FAMILY
        for module in (
            transformations,
            options,
            loops,
            fitting,
            backends,
            strategies,
            keeping,
            nesting,
            debugging,
        )
    ),
    "shuffled",
]

USES: dict[str, table.Use] = dict(
    sorted(table.USES.items(), key=lambda item: FAMILIES.index(item[1].family))
)
