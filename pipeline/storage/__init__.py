"""The database: the only door to SQLAlchemy. Values of the pipeline go in, values come out."""
