"""callscore: recordings go in, scorecards that an inspector verifies come out."""

__version__ = "0.1.0"
