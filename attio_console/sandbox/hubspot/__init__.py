"""The stand-in for HubSpot: one account, every record with its history, every limit and refusal."""

from attio_console.sandbox.hubspot.app import make_app
from attio_console.sandbox.hubspot.state import HubSpot

__all__ = ["HubSpot", "make_app"]
