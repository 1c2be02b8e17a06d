"""`make bench-night`: how fast a night is, part by part."""
