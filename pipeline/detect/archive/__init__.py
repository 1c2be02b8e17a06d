"""Thousands of stored calls at once: a compact form of each call, and a sieve for what rules can match."""
