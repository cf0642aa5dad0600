"""HubSpot and Salesforce clients behind one protocol."""

from attio_console.crm.hubspot import HubSpot
from attio_console.crm.protocol import (
    CrmClient,
    CrmField,
    CrmObject,
    CrmOwner,
    CrmRecord,
    CrmResult,
    CrmWrite,
)
from attio_console.crm.salesforce import Salesforce
from attio_console.crm.salesforce_auth import (
    ClientCredentials,
    JwtBearer,
    RefreshToken,
    SalesforceAuth,
    Session,
    TokenAtHand,
    WebLogin,
)

__all__ = [
    "ClientCredentials",
    "CrmClient",
    "CrmField",
    "CrmObject",
    "CrmOwner",
    "CrmRecord",
    "CrmResult",
    "CrmWrite",
    "HubSpot",
    "JwtBearer",
    "RefreshToken",
    "Salesforce",
    "SalesforceAuth",
    "Session",
    "TokenAtHand",
    "WebLogin",
]
