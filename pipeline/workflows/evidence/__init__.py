"""The case file of one scoring: everything an outsider needs to check it, in one file that stands alone."""
