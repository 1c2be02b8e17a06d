"""Nights under faults, long; writes docs/reliability.md.

    python tests/workflows/night_soak.py --fault all|NAME [--seed 1] [--count N] [--short] [--page]

Child processes load this file again, so that it is next to empty.
"""

if __name__ == "__main__":
    import faults

    faults.main()
