"""Seed data: people, companies, deals, lists, notes and tasks like life, the same for the same seed."""

from attio_console.sandbox.seed.data import make_data
from attio_console.sandbox.seed.rows import Options, SeedData

__all__ = ["Options", "SeedData", "make_data"]
