"""The objects of the org."""

from __future__ import annotations

from attio_console.sandbox.salesforce.fields import (
    Field,
    SObject,
    address_fields,
    lookup,
    picklist,
    system_fields,
    text,
)

STAGES = (
    # name, probability, closed, won
    ("Lead", 20, False, False),
    ("In Progress", 50, False, False),
    ("Won 🎉", 100, True, True),
    ("Lost", 0, True, False),
)
SOURCES = ("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other")
INDUSTRIES = ("Agriculture", "Banking", "Biotechnology", "Education", "Energy", "Finance", "Healthcare", "Insurance", "Manufacturing", "Media", "Retail", "Technology", "Telecommunications", "Transportation", "Utilities", "Other")  # fmt: skip


def make_schema() -> dict[str, SObject]:
    """Return the objects by name."""
    made = [
        _account(), _contact(), _lead(), _opportunity(), _task(), _user(), _organization(), _content_note(), _content_link(),
        _history("AccountHistory", "AccountId", "Account"),
        _history("ContactHistory", "ContactId", "Contact"),
        _history("LeadHistory", "LeadId", "Lead"),
        _history("OpportunityFieldHistory", "OpportunityId", "Opportunity"),
    ]  # fmt: skip
    return {one.name: one for one in made}


def _object(name: str, plural: str, prefix: str, fields: list[Field], **more: object) -> SObject:
    made = SObject(name, name, plural, prefix, {f.name: f for f in fields})
    for key, value in more.items():
        setattr(made, key, value)
    for one in fields:
        if made.history and not one.read_only:
            one.tracked = True
    return made


def _sync_key() -> Field:
    # Not unique on purpose: two rows with one key are what answers 300.
    return text("Attio_Id__c", "Attio ID", 64, external_id=True)


def _master(sobject: str) -> Field:
    return Field(
        "MasterRecordId",
        "Master Record ID",
        "reference",
        18,
        read_only=True,
        refers_to=(sobject,),
        relationship="MasterRecord",
    )


def _person() -> list[Field]:
    return [
        text("LastName", "Last Name", 80, required=True, compound="Name"),
        text("FirstName", "First Name", 40, compound="Name"),
        picklist("Salutation", "Salutation", ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mx."), compound="Name"),
        text("Name", "Full Name", 121, read_only=True),
        Field("Email", "Email", "email", 80, id_lookup=True),
        Field("Phone", "Phone", "phone", 40),
        Field("MobilePhone", "Mobile Phone", "phone", 40),
        text("Title", "Title", 128),
        picklist("LeadSource", "Lead Source", SOURCES),
        Field("Description", "Description", "textarea", 32_000),
    ]


def _account() -> SObject:
    fields = [
        *system_fields(), _master("Account"),
        text("Name", "Account Name", 255, required=True),
        Field("Website", "Website", "url", 255),
        Field("Phone", "Phone", "phone", 40),
        picklist("Type", "Account Type", ("Prospect", "Customer", "Partner", "Other")),
        picklist("Industry", "Industry", INDUSTRIES),
        Field("NumberOfEmployees", "Employees", "int"),
        Field("AnnualRevenue", "Annual Revenue", "currency"),
        text("AccountNumber", "Account Number", 40),
        Field("Description", "Description", "textarea", 32_000),
        lookup("ParentId", "Parent Account ID", "Account"),
        *address_fields("Billing"), *address_fields("Shipping"),
        text("Domain__c", "Domain", 255), _sync_key(),
    ]  # fmt: skip
    return _object(
        "Account",
        "Accounts",
        "001",
        fields,
        mergeable=True,
        history="AccountHistory",
        history_parent="AccountId",
    )


def _contact() -> SObject:
    fields = [
        *system_fields(), _master("Contact"), *_person(),
        lookup("AccountId", "Account ID", "Account"),
        lookup("ReportsToId", "Reports To ID", "Contact"),
        text("Department", "Department", 80),
        Field("Birthdate", "Birthdate", "date"),
        Field("HasOptedOutOfEmail", "Email Opt Out", "boolean", default=False),
        *address_fields("Mailing"), _sync_key(),
    ]  # fmt: skip
    return _object(
        "Contact",
        "Contacts",
        "003",
        fields,
        mergeable=True,
        history="ContactHistory",
        history_parent="ContactId",
    )


def _lead() -> SObject:
    converted = [
        Field("IsConverted", "Converted", "boolean", read_only=True, default=False),
        Field("ConvertedDate", "Converted Date", "date", read_only=True),
        *(
            lookup(f"Converted{name}Id", f"Converted {name} ID", name, read_only=True)
            for name in ("Account", "Contact", "Opportunity")
        ),
    ]
    fields = [
        *system_fields(), _master("Lead"), *_person(),
        text("Company", "Company", 255, required=True),
        Field("Website", "Website", "url", 255),
        picklist("Status", "Lead Status", ("Open - Not Contacted", "Working - Contacted", "Closed - Converted", "Closed - Not Converted"), default="Open - Not Contacted"),
        picklist("Industry", "Industry", INDUSTRIES),
        *address_fields(""), *converted, _sync_key(),
    ]  # fmt: skip
    return _object(
        "Lead", "Leads", "00Q", fields, mergeable=True, history="LeadHistory", history_parent="LeadId"
    )


def _opportunity() -> SObject:
    fields = [
        *system_fields(),
        text("Name", "Name", 120, required=True),
        lookup("AccountId", "Account ID", "Account"),
        lookup("ContactId", "Contact ID", "Contact", create_only=True),
        picklist("StageName", "Stage", [name for name, *_ in STAGES], required=True, restricted=True),
        Field("Amount", "Amount", "currency"),
        Field("Probability", "Probability (%)", "percent"),
        Field("CloseDate", "Close Date", "date", required=True),
        picklist("Type", "Opportunity Type", ("New Business", "Existing Business")),
        text("NextStep", "Next Step", 255),
        picklist("LeadSource", "Lead Source", SOURCES),
        Field("Description", "Description", "textarea", 32_000),
        Field("IsClosed", "Closed", "boolean", read_only=True),
        Field("IsWon", "Won", "boolean", read_only=True),
        picklist("ForecastCategoryName", "Forecast Category", ("Pipeline", "Best Case", "Closed", "Omitted")),
        _sync_key(),
    ]  # fmt: skip
    return _object(
        "Opportunity", "Opportunities", "006", fields,
        history="OpportunityFieldHistory", history_parent="OpportunityId",
    )  # fmt: skip


def _task() -> SObject:
    fields = [
        *system_fields(),
        text("Subject", "Subject", 255),
        picklist("Status", "Status", ("Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred"), default="Not Started"),
        picklist("Priority", "Priority", ("High", "Normal", "Low"), default="Normal"),
        Field("ActivityDate", "Due Date Only", "date"),
        Field("Description", "Description", "textarea", 32_000),
        lookup("WhoId", "Name ID", "Contact", "Lead"),
        lookup("WhatId", "Related To ID", "Account", "Opportunity"),
        Field("IsClosed", "Closed", "boolean", read_only=True),
        Field("CompletedDateTime", "Completed Date", "datetime", read_only=True),
        _sync_key(),
    ]  # fmt: skip
    return _object("Task", "Tasks", "00T", fields)


def _user() -> SObject:
    fields = [
        *system_fields(owned=False, recycled=False),
        text("Username", "Username", 80, id_lookup=True),
        Field("Email", "Email", "email", 128, id_lookup=True),
        text("FirstName", "First Name", 40),
        text("LastName", "Last Name", 80, required=True),
        text("Name", "Full Name", 121, read_only=True),
        Field("IsActive", "Active", "boolean"),
        picklist("UserType", "User Type", ("Standard", "AutomatedProcess")),
    ]
    return _object("User", "Users", "005", fields, createable=False, updateable=False, deletable=False)


def _organization() -> SObject:
    fields = [
        *system_fields(owned=False, recycled=False),
        text("Name", "Name", 80),
        text("InstanceName", "Instance Name", 5),
        Field("IsSandbox", "Is Sandbox", "boolean"),
        text("OrganizationType", "Edition", 40),
        text("DefaultLocaleSidKey", "Locale", 40),
        text("TimeZoneSidKey", "Time Zone", 40),
    ]
    return _object(
        "Organization", "Organizations", "00D", fields, createable=False, updateable=False, deletable=False
    )


def _content_note() -> SObject:
    fields = [
        *system_fields(),
        text("Title", "Title", 255, required=True),
        Field("Content", "Content", "base64"),
        Field("TextPreview", "Text Preview", "string", 255, read_only=True),
    ]
    return _object("ContentNote", "Notes", "069", fields)


def _content_link() -> SObject:
    fields = [
        *system_fields(owned=False),
        lookup("ContentDocumentId", "ContentDocument ID", "ContentNote", required=True, create_only=True),
        lookup(
            "LinkedEntityId",
            "Linked Entity ID",
            "Account",
            "Contact",
            "Lead",
            "Opportunity",
            required=True,
            create_only=True,
        ),
        picklist("ShareType", "Share Type", ("V", "C", "I"), default="V"),
        picklist("Visibility", "Visibility", ("AllUsers", "InternalUsers"), default="AllUsers"),
    ]
    return _object("ContentDocumentLink", "Content Document Links", "06A", fields)


def _history(name: str, parent: str, target: str) -> SObject:
    fields = [
        Field("Id", "Record ID", "id", 18, read_only=True),
        Field("IsDeleted", "Deleted", "boolean", read_only=True),
        lookup(parent, f"{target} ID", target, read_only=True),
        lookup("CreatedById", "Created By ID", "User", read_only=True),
        Field("CreatedDate", "Created Date", "datetime", read_only=True),
        text("Field", "Changed Field", 255, read_only=True),
        Field("OldValue", "Old Value", "anyType", read_only=True),
        Field("NewValue", "New Value", "anyType", read_only=True),
    ]
    return _object(
        name, f"{target} History", "017", fields, createable=False, updateable=False, deletable=False
    )
