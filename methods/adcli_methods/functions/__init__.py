"""NumPy's functions made of primitives, so that their derivatives follow: same names, same signatures."""

import adcli_methods.tracer  # noqa: F401  # before array_tracer, which it loads at its end
