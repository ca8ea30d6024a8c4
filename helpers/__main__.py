"""Calls the command `workbook`, installed or as `python -m helpers`."""

from helpers.command import app


def main() -> None:
    """Runs the command."""
    app()


if __name__ == "__main__":
    main()
