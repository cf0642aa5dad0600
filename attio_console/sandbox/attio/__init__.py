"""The stand-in for Attio's REST API v2."""
