"""Reports over what was scored: computed once, shown on a terminal, as a page, as a workbook."""
