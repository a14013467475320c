"""`adcli check`: which function has which derivative, run in a process of its own, and what came of it."""
