"""A new person's e-mail address leads to a company: found by domain, or made, when the workspace wants that."""

from __future__ import annotations

from attio_console.sandbox.attio.rows import new_row
from attio_console.sandbox.attio.state import Crm, Object, Row, Value
from attio_console.sandbox.attio.transaction import Transaction
from attio_console.sandbox.attio.words import FREE_MAIL
from attio_console.sandbox.world import SYSTEM


def link(crm: Crm, transaction: Transaction, people: Object, person: Row) -> None:
    """Link a person that names no company to the company of the first business e-mail domain."""
    companies = next((o for o in crm.objects.values() if o.kind == "companies"), None)
    emails, company = people.attribute("email_addresses"), people.attribute("company")
    if not crm.workspace.company_from_email or companies is None or emails is None or company is None:
        return
    domains = companies.attribute("domains")
    if person.get(company.id) or domains is None:
        return
    roots = [value.data["email_root_domain"] for value in person.get(emails.id)]
    root = next((r for r in roots if r not in FREE_MAIL), None)
    if root is None:
        return
    holders = companies.table.holders(domains.id, root)
    company_id = holders[0] if holders else _make(crm, companies, domains.id, root)
    reference = {"target_object_id": companies.id, "target_record_id": company_id}
    # By whoever made the person: strict clients that read their own create know no value without an author.
    transaction.assign(people, person, company, [reference])


def _make(crm: Crm, companies: Object, domains_id: str, root: str) -> str:
    transaction = Transaction(crm, SYSTEM)
    row = new_row(crm, companies, SYSTEM, transaction.at)
    row.values[domains_id] = (Value(transaction.at, SYSTEM, {"domain": root, "root_domain": root}),)
    name = companies.attribute("name")
    if name is not None:
        title = root.split(".", 1)[0].replace("-", " ").title()
        row.values[name.id] = (Value(transaction.at, SYSTEM, {"value": title}),)
    transaction.add(companies, row)
    transaction.commit()
    return row.id
