"""The subcommands of `workbook`, a file each."""
