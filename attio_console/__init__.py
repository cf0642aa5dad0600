"""A terminal console over a live, local mirror of an Attio workspace."""

__version__ = "0.1.0"
