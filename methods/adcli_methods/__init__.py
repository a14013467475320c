"""Differentiation as a library: every function becomes a Program, every method reads or rewrites it."""
