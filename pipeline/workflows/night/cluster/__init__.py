"""Hearing on the machines of a Ray cluster (`pip install callscore[ray]`): the only door to Ray."""
