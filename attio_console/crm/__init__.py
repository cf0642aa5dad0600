"""HubSpot and Salesforce clients behind one protocol."""
