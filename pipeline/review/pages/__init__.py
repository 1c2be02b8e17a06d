"""The pages, a file a subject: each parses, calls one workflow and fills in a template."""
