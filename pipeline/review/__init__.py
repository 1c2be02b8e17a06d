"""The inspector's page: a web application over the same workflows as the command line."""
