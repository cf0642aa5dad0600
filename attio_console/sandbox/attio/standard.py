"""The standard objects, with the system attributes a live workspace has."""

from __future__ import annotations

from collections.abc import Sequence

from attio_console.sandbox.attio.schema import new_attribute, new_object, relate
from attio_console.sandbox.attio.state import Attribute, Crm, Object, Option, Status
from attio_console.sandbox.world import Workspace

STANDARD = (
    ("people", "Person", "People"),
    ("companies", "Company", "Companies"),
    ("deals", "Deal", "Deals"),
    ("users", "User", "Users"),
    ("workspaces", "Workspace", "Workspaces"),
)

_INTERACTIONS = tuple(
    f"{when}_{what}interaction"
    for what, moments in (
        ("calendar_", ("first", "last", "next")),
        ("email_", ("first", "last")),
        ("", ("first", "last", "next")),
    )
    for when in moments
)

# slug, type, marks: u = unique, m = multi, r = read-only, e = enriched by Attio, ! = required
_ATTRIBUTES: dict[str, str] = {
    "people": """
        name personal-name -
        email_addresses email-address um
        description text e
        company record-reference -
        job_title text e
        avatar_url text re
        phone_numbers phone-number m
        primary_location location e
        angellist text e
        facebook text e
        instagram text e
        linkedin text e
        twitter text e
        twitter_follower_count number re
        INTERACTIONS
        associated_deals record-reference m
    """,
    "companies": """
        domains domain um
        name text -
        description text e
        team record-reference m
        categories select me
        primary_location location e
        logo_url text re
        angellist text e
        facebook text e
        instagram text e
        linkedin text e
        twitter text e
        twitter_follower_count number re
        estimated_arr_usd select e
        funding_raised_usd currency e
        foundation_date date e
        employee_range select e
        INTERACTIONS
        associated_deals record-reference m
    """,
    "deals": """
        name text !
        stage status !
        owner actor-reference !
        value currency -
        associated_people record-reference m
        associated_company record-reference -
    """,
    "users": """
        person record-reference -
        primary_email_address email-address -
        user_id text u!
        workspace record-reference m
    """,
    "workspaces": """
        workspace_id text u!
        name text -
        users record-reference m
        company record-reference -
        avatar_url text -
    """,
}

_RELATIONS = (
    ("people", "company", "companies", "team"),
    ("people", "associated_deals", "deals", "associated_people"),
    ("companies", "associated_deals", "deals", "associated_company"),
    ("users", "workspace", "workspaces", "users"),
)
_LATER_RELATIONS = (
    ("users", "person", "people", "associated_users"),
    ("workspaces", "company", "companies", "associated_workspaces"),
)

EMPLOYEE_RANGES = ("1-10", "11-50", "51-250", "251-1K", "1K-5K", "5K-10K", "10K-50K", "50K-100K", "100K+")
ARR_RANGES = (
    "<$1M",
    "$1M-$10M",
    "$10M-$50M",
    "$50M-$100M",
    "$100M-$250M",
    "$250M-$500M",
    "$500M-$1B",
    "$1B-$10B",
    "$10B+",
)
CATEGORIES = (
    "B2B", "B2C", "SAAS", "Finance", "Payments", "Technology", "E-commerce", "Marketplace", "Health Care", "Education",
    "Manufacturing", "Media", "Logistics", "Energy", "Real Estate", "Security", "Consulting", "Travel",
)  # fmt: skip
STRENGTHS = ("No communication", "Very weak", "Weak", "Good", "Strong", "Very strong")
STAGES = (
    ("Lead", None, False),
    ("In Progress", "P0Y0M14DT0H0M0S", False),
    ("Won 🎉", None, True),
    ("Lost", None, False),
)

_OPTIONS = {
    "categories": CATEGORIES,
    "estimated_arr_usd": ARR_RANGES,
    "employee_range": EMPLOYEE_RANGES,
    "strongest_connection_strength": STRENGTHS,
}


def install_standard_objects(
    workspace: Workspace, enabled: Sequence[str] = ("people", "companies", "deals", "users", "workspaces")
) -> Crm:
    """Give a workspace its standard objects; those not `enabled` exist but are refused until switched on."""
    crm = workspace.part(Crm)
    for slug, singular, plural in STANDARD:
        target = new_object(crm, slug, singular, plural, standard=True)
        target.enabled = slug in enabled
        for line in _lines(slug):
            _add(crm, target, *line.split())
    for left, left_slug, right, right_slug in _RELATIONS:
        _entangle(crm, left, left_slug, right, right_slug)
    for left, left_slug, right, right_slug in _LATER_RELATIONS:
        if left in enabled:
            _add(crm, _object(crm, right), right_slug, "record-reference", "m")
            _entangle(crm, left, left_slug, right, right_slug)
    return crm


def _lines(slug: str) -> list[str]:
    lines = []
    for line in _ATTRIBUTES[slug].strip().splitlines():
        if line.strip() == "INTERACTIONS":
            lines += [f"{name} interaction re" for name in _INTERACTIONS]
            lines += [
                "strongest_connection_strength_legacy number re",
                "strongest_connection_strength select re",
                "strongest_connection_user actor-reference re",
            ]
        else:
            lines.append(line.strip())
    # Live order: record_id stands first, created_at and created_by last; new_object made all three.
    return lines


def _add(crm: Crm, target: Object, slug: str, type: str, marks: str) -> Attribute:
    attribute = new_attribute(
        crm,
        target,
        slug=slug,
        title=slug.replace("_", " ").capitalize(),
        type=type,
        is_system=True,
        is_unique="u" in marks,
        is_multiselect="m" in marks,
        is_writable="r" not in marks,
        is_required="!" in marks,
    )
    attribute.is_enriched = "e" in marks
    if type == "currency":
        attribute.default_currency_code = "USD"
        attribute.display_type = "symbol"
    for title in _OPTIONS.get(slug, ()):
        option = Option(crm.new_id(), title)
        attribute.options[option.id] = option
    if slug == "stage":
        for title, target_time, celebrate in STAGES:
            status = Status(
                crm.new_id(), title, celebration_enabled=celebrate, target_time_in_status=target_time
            )
            attribute.statuses[status.id] = status
    return attribute


def _object(crm: Crm, slug: str) -> Object:
    found = crm.object(slug)
    assert found is not None
    return found


def _entangle(crm: Crm, left: str, left_slug: str, right: str, right_slug: str) -> None:
    one, other = _object(crm, left), _object(crm, right)
    here, there = one.attribute(left_slug), other.attribute(right_slug)
    assert here is not None and there is not None
    relate(one, here, other, there)
