"""The vocabulary of companies, jobs, deals, notes and tasks."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


STEMS = _words(
    "Aurora Basalt Cobalt Delta Ember Fjord Granite Harbour Indigo Juniper Kestrel Lumen Meridian Nimbus Onyx Polar "
    "Quarry Rivet Sable Tundra Umbra Vertex Willow Xenon Yarrow Zephyr Alder Birch Cedar Dune Estuary Flint Glacier "
    "Heron Ivory Jasper Kelp Lark Mistral Nettle Osprey Pepper Quill Raven Saffron Thistle Ursa Vesper Wren Zinc"
)
TRADES = _words(
    "Analytics Biotech Capital Dental Energy Foods Gaming Health Insurance Journeys Kitchens Logistics Media Networks "
    "Optics Payments Robotics Security Textiles Utilities Ventures Works Aviation Brewing Ceramics Farms Freight Labs "
    "Learning Mobility Pharma Realty Software Studios Telecom Tools Travel Water"
)
LOCAL_STEMS = {
    "DE": ("Bär", "Grün", "Königs", "Süd", "Über", "Mäander"),
    "FR": ("Étoile", "Château", "Forêt", "Île Verte", "Père & Fils"),
    "ES": ("Montaña", "Señorío", "Compañía del Sur", "Niñez"),
    "BR": ("Ação", "Maçã", "Sertão", "Coração"),
    "PL": ("Źródło", "Łąka", "Żubr"),
    "SE": ("Björk & Ö", "Ålandsbro", "Sjö"),
    "CZ": ("Křišťál", "Růže", "Děčín"),
    "TR": ("Güneş", "Işık", "Çınar"),
    "GR": ("Αιγαίο", "Ολύμπια", "Θάλασσα"),
    "UA": ("Дніпро", "Каштан", "Обрій"),
    "CN": ("华星", "长江", "金桥", "云海"),
    "JP": ("桜電機", "富士商事", "港南", "みらい"),
    "KR": ("한빛", "대한", "푸른숲"),
    "IN": ("Ganga", "सूर्य", "Deccan"),
    "VN": ("Sông Hồng", "Ánh Dương"),
    "AE": ("الخليج", "النخلة", "الصقر"),
    "IL": ("אלון", "הירדן", "כוכב"),
    "NG": ("Ọ̀ṣun", "Naija", "Benue"),
    "IS": ("Jökull", "Þingvellir"),
    "TH": ("ช้างทอง", "สยาม"),
}
"""Stems a company of that country may carry instead of an English one."""

JOBS = (
    ("Account Executive", 8),
    ("Head of Sales", 6),
    ("VP Sales", 5),
    ("Chief Revenue Officer", 3),
    ("Sales Engineer", 5),
    ("CEO", 6),
    ("CTO", 5),
    ("CFO", 4),
    ("COO", 3),
    ("Founder", 5),
    ("Co-founder & CTO", 3),
    ("Head of Procurement", 4),
    ("IT Manager", 5),
    ("Operations Manager", 6),
    ("Product Manager", 6),
    ("Data Engineer", 4),
    ("Marketing Lead", 5),
    ("Office Manager", 3),
    ("Customer Success Manager", 5),
    ("Geschäftsführerin", 1),
    ("Directeur général", 1),
    ("営業部長", 1),
    ("Diretora Comercial", 1),
    ("مدير المبيعات", 1),
    ("Senior Staff Software Engineer (Platform)", 2),
    ("Legal Counsel", 3),
    ("Board Member", 2),
    ("R&D / QA", 1),
    ("Head of People", 3),
    ("Intern", 2),
)
CATEGORIES = (
    "B2B",
    "B2C",
    "SAAS",
    "Finance",
    "Payments",
    "Health Care",
    "Logistics",
    "Manufacturing",
    "Media",
    "E-commerce",
    "Energy",
    "Education",
)
EMPLOYEE_RANGES = ("1-10", "11-50", "51-250", "251-1K", "1K-5K", "5K-10K", "10K-50K", "50K-100K", "100K+")
TAGS = (
    "Champion",
    "Decision maker",
    "Newsletter",
    "Event: Lisbon 2026",
    "Referral",
    "Do not call",
    "VIP ✨",
    "Partner",
)
DEAL_SUBJECTS = (
    "Annual licence",
    "Pilot",
    "Renewal 2027",
    "Expansion: 40 seats",
    "Migration package",
    "Support upgrade",
    "Data add-on",
    "Workshop",
    "Two-year contract",
    "Proof of concept",
    "EMEA roll-out",
    "Security review",
)
TAG_LINES = (
    "{trade} for teams that outgrew the spreadsheet.",
    "Makes {trade} boring, in the best sense.",
    "Family-owned since 1987; {trade} in four countries.",
    "An open platform for {trade}.",
    "{trade}, delivered before nine.",
    "Quiet, careful {trade} for regulated markets.",
)
NOTE_TITLES = (
    "Intro call",
    "Discovery",
    "Demo follow-up",
    "Pricing discussion",
    "Contract questions",
    "QBR",
    "Met at Lisbon",
    "Risk review",
    "Handover",
)
NOTE_LINES = (
    "Budget is approved for Q1; procurement needs two more weeks.",
    "They compare us with an in-house tool.",
    "Asked for SSO, an audit log and data residency in the EU.",
    "Champion moves to another team in January.",
    "Wants prices in local currency — see thread.",
    "Security questionnaire sent, 140 questions.",
    "Très intéressés par la synchronisation en deux sens.",
    "次回は東京オフィスで対面。",
    "Prefers WhatsApp over e-mail 🙂",
    "Renewal depends on the new reporting.",
    "No decision before the board meeting on the 14th.",
    "Competitor offered 20 % off; we did not match.",
)
TASK_LINES = (
    "Send the revised offer",
    "Call back about the pilot",
    "Prepare the security questionnaire",
    "Book the on-site",
    "Ask legal about the DPA",
    "Check the invoice address",
    "Introduce the new account manager",
    "Update the forecast",
    "Share the case study",
    "Chase the signature",
)
