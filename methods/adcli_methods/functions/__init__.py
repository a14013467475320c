"""NumPy's functions made of primitives, so that their derivatives follow: same names, same signatures."""
