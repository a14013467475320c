"""Checking a claimed derivative: evidence, a tolerance derived from it, a verdict, and the likely cause of a fault."""
