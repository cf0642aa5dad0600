"""HubSpot and Salesforce clients behind one protocol."""

from attio_console.crm.hubspot import HubSpot
from attio_console.crm.protocol import CrmClient, CrmField, CrmObject, CrmOwner, CrmRecord, CrmResult, CrmWrite

__all__ = ["CrmClient", "CrmField", "CrmObject", "CrmOwner", "CrmRecord", "CrmResult", "CrmWrite", "HubSpot"]
