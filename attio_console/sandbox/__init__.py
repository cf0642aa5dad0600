"""Stand-ins for Attio, HubSpot and Salesforce, for the demo, the tests and anyone's client."""
