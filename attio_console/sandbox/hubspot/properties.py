"""Property definitions: what each object knows of itself, and what may be written to it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

TYPES = {
    "bool",
    "date",
    "datetime",
    "enumeration",
    "number",
    "phone_number",
    "string",
    "object_coordinates",
    "json",
}
FIELD_TYPES = {
    "booleancheckbox", "calculation_equation", "checkbox", "date", "file", "html", "number", "phonenumber", "radio",
    "select", "text", "textarea",
}  # fmt: skip
LIFECYCLE = (
    ("subscriber", "Subscriber"),
    ("lead", "Lead"),
    ("marketingqualifiedlead", "Marketing Qualified Lead"),
    ("salesqualifiedlead", "Sales Qualified Lead"),
    ("opportunity", "Opportunity"),
    ("customer", "Customer"),
    ("evangelist", "Evangelist"),
    ("other", "Other"),
)


@dataclass(slots=True)
class PropertyDef:
    """One property of an object type."""

    name: str
    label: str
    type: str = "string"
    field_type: str = "text"
    group: str = ""
    options: list[dict[str, Any]] = field(default_factory=list)
    unique: bool = False
    read_only: bool = False
    calculated: bool = False
    hubspot_defined: bool = True
    description: str = ""
    display_order: int = -1
    hidden: bool = False
    form_field: bool = False
    external_options: bool = False
    archived: bool = False
    created_at: str | None = None
    updated_at: str | None = None

    def json(self) -> dict[str, Any]:
        """Return the definition as the properties endpoint shows it."""
        body = {
            "name": self.name,
            "label": self.label,
            "type": self.type,
            "fieldType": self.field_type,
            "description": self.description,
            "groupName": self.group,
            "options": self.options,
            "displayOrder": self.display_order,
            "calculated": self.calculated,
            "externalOptions": self.external_options,
            "hasUniqueValue": self.unique,
            "hidden": self.hidden,
            "hubspotDefined": self.hubspot_defined,
            "modificationMetadata": {
                "archivable": not self.hubspot_defined,
                "readOnlyDefinition": self.hubspot_defined,
                "readOnlyOptions": self.hubspot_defined,
                "readOnlyValue": self.read_only,
            },
            "formField": self.form_field,
            "archived": self.archived,
        }
        if self.created_at:
            body |= {"createdAt": self.created_at, "updatedAt": self.updated_at or self.created_at}
        return body

    @property
    def values(self) -> set[str]:
        """Return the internal values of an enumeration."""
        return {str(option["value"]) for option in self.options}


def options(pairs: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """Build enumeration options from (value, label)."""
    return [
        {"label": label, "value": value, "displayOrder": order, "hidden": False}
        for order, (value, label) in enumerate(pairs)
    ]


def _common(modified: str, group: str) -> list[PropertyDef]:
    return [
        PropertyDef("hs_object_id", "Record ID", "number", "number", group, read_only=True),
        PropertyDef("createdate", "Create Date", "datetime", "date", group, read_only=modified == "lastmodifieddate"),
        PropertyDef(modified, "Last Modified Date", "datetime", "date", group, read_only=True),
        PropertyDef("hs_createdate", "Object create date/time", "datetime", "date", group, read_only=True),
        PropertyDef("hs_merged_object_ids", "Merged record IDs", "enumeration", "checkbox", group, read_only=True, external_options=True),
        PropertyDef("hubspot_owner_id", "Owner", "enumeration", "select", group, external_options=True),
        PropertyDef("hubspot_owner_assigneddate", "Owner assigned date", "datetime", "date", group, read_only=True),
    ]  # fmt: skip


def _texts(group: str, *pairs: tuple[str, str]) -> list[PropertyDef]:
    return [PropertyDef(name, label, group=group) for name, label in pairs]


def contact_properties() -> list[PropertyDef]:
    """Return what a new account defines for contacts."""
    group = "contactinformation"
    return [
        *_common("lastmodifieddate", group),
        PropertyDef("email", "Email", group=group, form_field=True),
        PropertyDef("hs_additional_emails", "Additional email addresses", "enumeration", "checkbox", group, external_options=True),
        *_texts(
            group, ("firstname", "First Name"), ("lastname", "Last Name"), ("jobtitle", "Job Title"), ("company", "Company Name"),
            ("address", "Street Address"), ("city", "City"), ("state", "State/Region"), ("zip", "Postal Code"), ("country", "Country/Region"),
            ("hs_country_region_code", "Country/Region Code"), ("website", "Website URL"), ("hs_linkedin_url", "LinkedIn URL"), ("twitterhandle", "Twitter Username"),
            ("salutation", "Salutation"), ("industry", "Industry"), ("message", "Message"),
        ),
        PropertyDef("phone", "Phone Number", "string", "phonenumber", group),
        PropertyDef("mobilephone", "Mobile Phone Number", "string", "phonenumber", group),
        PropertyDef("lifecyclestage", "Lifecycle Stage", "enumeration", "radio", group, options(LIFECYCLE)),
        PropertyDef("hs_lead_status", "Lead Status", "enumeration", "radio", group, options((v, v.replace("_", " ").title()) for v in ("NEW", "OPEN", "IN_PROGRESS", "OPEN_DEAL", "UNQUALIFIED", "CONNECTED"))),
        PropertyDef("date_of_birth", "Date of birth", "string", "text", group),
        PropertyDef("associatedcompanyid", "Primary Associated Company ID", "number", "number", group, read_only=True),
        PropertyDef("notes_last_updated", "Last Activity Date", "datetime", "date", group, read_only=True),
        PropertyDef("num_associated_deals", "Number of Associated Deals", "number", "number", group, read_only=True, calculated=True),
    ]  # fmt: skip


def company_properties() -> list[PropertyDef]:
    """Return what a new account defines for companies."""
    group = "companyinformation"
    return [
        *_common("hs_lastmodifieddate", group),
        *_texts(
            group, ("name", "Company name"), ("domain", "Company Domain Name"), ("website", "Website URL"), ("description", "Description"),
            ("address", "Street Address"), ("address2", "Street Address 2"), ("city", "City"), ("state", "State/Region"), ("zip", "Postal Code"),
            ("country", "Country/Region"), ("hs_country_code", "Country/Region Code"), ("linkedin_company_page", "LinkedIn Company Page"),
            ("founded_year", "Year Founded"), ("twitterhandle", "Twitter Handle"),
        ),
        PropertyDef("phone", "Phone Number", "string", "phonenumber", group),
        PropertyDef("numberofemployees", "Number of Employees", "number", "number", group),
        PropertyDef("annualrevenue", "Annual Revenue", "number", "number", group),
        PropertyDef("industry", "Industry", "enumeration", "select", group, options((v, v.replace("_", " ").title()) for v in ("COMPUTER_SOFTWARE", "FINANCIAL_SERVICES", "HOSPITAL_HEALTH_CARE", "LOGISTICS_AND_SUPPLY_CHAIN", "MEDIA_PRODUCTION", "RETAIL"))),
        PropertyDef("type", "Type", "enumeration", "select", group, options((v, v.title()) for v in ("PROSPECT", "PARTNER", "RESELLER", "VENDOR", "OTHER"))),
        PropertyDef("lifecyclestage", "Lifecycle Stage", "enumeration", "radio", group, options(LIFECYCLE)),
    ]  # fmt: skip


def deal_properties() -> list[PropertyDef]:
    """Return what a new account defines for deals."""
    group = "dealinformation"
    return [
        *_common("hs_lastmodifieddate", group),
        *_texts(group, ("dealname", "Deal Name"), ("description", "Deal Description"), ("closed_lost_reason", "Closed Lost Reason"), ("closed_won_reason", "Closed Won Reason")),
        PropertyDef("amount", "Amount", "number", "number", group),
        PropertyDef("closedate", "Close Date", "datetime", "date", group),
        PropertyDef("pipeline", "Pipeline", "enumeration", "select", group, external_options=True),
        PropertyDef("dealstage", "Deal Stage", "enumeration", "radio", group, external_options=True),
        PropertyDef("deal_currency_code", "Currency", "enumeration", "select", group, options((v, v) for v in ("EUR", "GBP", "JPY", "USD"))),
        PropertyDef("dealtype", "Deal Type", "enumeration", "radio", group, options((("newbusiness", "New Business"), ("existingbusiness", "Existing Business")))),
        PropertyDef("hs_priority", "Priority", "enumeration", "select", group, options((v, v.title()) for v in ("low", "medium", "high"))),
        PropertyDef("hs_is_closed_won", "Is Closed Won", "bool", "booleancheckbox", group, read_only=True, calculated=True),
    ]  # fmt: skip


def note_properties() -> list[PropertyDef]:
    """Return what a note has."""
    group = "engagement"
    return [
        *_common("hs_lastmodifieddate", group),
        PropertyDef("hs_note_body", "Note body", "string", "html", group),
        PropertyDef("hs_timestamp", "Activity date", "datetime", "date", group),
        PropertyDef("hs_attachment_ids", "Attached file IDs", "string", "text", group),
    ]


def task_properties() -> list[PropertyDef]:
    """Return what a task has."""
    group = "engagement"
    choices = {
        "hs_task_status": ("NOT_STARTED", "IN_PROGRESS", "WAITING", "DEFERRED", "COMPLETED"),
        "hs_task_priority": ("NONE", "LOW", "MEDIUM", "HIGH"),
        "hs_task_type": ("TODO", "EMAIL", "CALL"),
    }
    return [
        *_common("hs_lastmodifieddate", group),
        PropertyDef("hs_task_body", "Task body", "string", "html", group),
        PropertyDef("hs_task_subject", "Task title", "string", "text", group),
        PropertyDef("hs_timestamp", "Due date", "datetime", "date", group),
        PropertyDef("hs_task_completion_date", "Completed at", "datetime", "date", group, read_only=True),
        *(
            PropertyDef(name, name, "enumeration", "select", group, options((v, v.title()) for v in values))
            for name, values in choices.items()
        ),
    ]


def sync_key() -> PropertyDef:
    """Return the unique property an earlier sync left in this account, which is how many copies are found."""
    return PropertyDef(
        "attio_record_id",
        "Attio record ID",
        unique=True,
        hubspot_defined=False,
        description="Written by the sync.",
    )
