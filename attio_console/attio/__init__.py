"""The Attio REST v2 client."""
