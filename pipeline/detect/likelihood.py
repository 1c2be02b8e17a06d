"""How sure a measurement is of lying on one side of a bound."""

from math import erf, sqrt


def beyond(measured: float, bound: float, error: float) -> float:
    """Likelihood that the true value lies above the bound, errors being normal with this deviation.

    `beyond(1.0, 1.0, 0.2) == 0.5`.
    """
    return 0.5 + 0.5 * erf((measured - bound) / (error * sqrt(2)))
