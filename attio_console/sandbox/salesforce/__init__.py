"""The stand-in for Salesforce: one org, real SOQL, every conditional header and refusal."""

from attio_console.sandbox.salesforce.app import make_app
from attio_console.sandbox.salesforce.state import Salesforce

__all__ = ["Salesforce", "make_app"]
