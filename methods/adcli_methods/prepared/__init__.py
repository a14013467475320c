"""Prepared derivatives: traced, differentiated, optimised and compiled once, then run again and again."""
