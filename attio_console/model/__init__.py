"""Plain values and records, canonical forms and the three-way merge: pure, no I/O."""
