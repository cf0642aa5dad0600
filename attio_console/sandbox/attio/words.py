"""Reading what people write: domains, e-mail addresses, phone numbers, places, dates and instants."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, timedelta

import phonenumbers


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TWO_PART_SUFFIXES = _words(
    "co.uk org.uk ac.uk gov.uk me.uk ltd.uk com.au net.au org.au co.nz co.jp co.kr co.in co.za com.br "
    "com.mx com.tr com.sg com.hk com.cn com.tw com.ar com.co com.pl com.ua co.il co.id co.th com.my "
    "com.ph com.vn"
)
FREE_MAIL = _words(
    "gmail.com googlemail.com outlook.com hotmail.com live.com yahoo.com icloud.com me.com aol.com "
    "proton.me protonmail.com gmx.com gmx.de web.de mail.com"
)
_DOMAIN = re.compile(
    r"(?=.{1,253}$)([a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9][a-z0-9-]{0,61}[a-z0-9]"
)
_EMAIL = re.compile(r"[^@\s,;<>()\[\]\"]{1,64}@[^@\s]{1,253}")
_COUNTRIES = {
    "usa": "US", "united states": "US", "united states of america": "US", "uk": "GB", "united kingdom": "GB",
    "great britain": "GB", "england": "GB", "scotland": "GB", "germany": "DE", "france": "FR", "spain": "ES", "italy": "IT",
    "netherlands": "NL", "belgium": "BE", "ireland": "IE", "portugal": "PT", "sweden": "SE", "norway": "NO", "denmark": "DK",
    "finland": "FI", "poland": "PL", "austria": "AT", "switzerland": "CH", "canada": "CA", "mexico": "MX", "brazil": "BR",
    "india": "IN", "japan": "JP", "china": "CN", "singapore": "SG", "australia": "AU", "new zealand": "NZ",
}  # fmt: skip
COUNTRY_CODES = _words(
    "AF AX AL DZ AS AD AO AI AQ AG AR AM AW AU AT AZ BS BH BD BB BY BE BZ BJ BM BT BO BA BW BV BR IO BN "
    "BG BF BI KH CM CA CV KY CF TD CL CN CX CC CO KM CG CD CK CR CI HR CU CW CY CZ DK DJ DM DO EC EG SV "
    "GQ ER EE ET FK FO FJ FI FR GF PF TF GA GM GE DE GH GI GR GL GD GP GU GT GG GN GW GY HT HM VA HN HK "
    "HU IS IN ID IR IQ IE IM IL IT JM JP JE JO KZ KE KI KR KW KG LA LV LB LS LR LY LI LT LU MO MK MG MW "
    "MY MV ML MT MH MQ MR MU YT MX FM MD MC MN ME MS MA MZ MM NA NR NP NL AN NC NZ NI NE NG NU NF MP NO "
    "OM PK PW PS PA PG PY PE PH PN PL PT PR QA RE RO RU RW BL SH KN LC MF PM VC WS SM ST SA SN SS RS SC "
    "SL SG SK SI SB SO ZA GS ES LK SD SR SJ SZ SE CH SY TW TJ TZ TH TL TG TK TO TT TN TR TM TC TV UG UA "
    "AE GB US UM UY UZ VU VE VN VG VI WF EH YE ZM ZW BQ KP SX XK AC"
)
_YEAR_MONTH_DAY = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_INSTANT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9})\d*)?)?\s*(Z|z|[+-]\d{2}(?::?\d{2})?)?"
)


def domain_of(text: str) -> str | None:
    """Read a domain out of a domain or a URL, without paths; None when there is none."""
    host = re.sub(r"^[a-z][a-z0-9+.-]*://", "", text.strip().lower())
    host = re.split(r"[/?#]", host, maxsplit=1)[0].rsplit("@", 1)[-1].split(":", 1)[0].rstrip(".")
    try:
        ascii_host = host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError:
        return None
    return ascii_host if _DOMAIN.fullmatch(ascii_host) else None


def root_domain(domain: str) -> str:
    """Return the part of a domain that somebody registered."""
    parts = domain.split(".")
    keep = 3 if ".".join(parts[-2:]) in _TWO_PART_SUFFIXES else 2
    return ".".join(parts[-keep:])


def email_of(text: str) -> dict[str, str] | None:
    """Read an e-mail address into its five fields; None when it is none."""
    original = text.strip()
    if not _EMAIL.fullmatch(original):
        return None
    local, _, host = original.rpartition("@")
    domain = domain_of(host)
    if domain is None or domain != host.lower():
        return None
    return {
        "original_email_address": original,
        "email_address": f"{local}@{domain}".lower(),
        "email_domain": domain,
        "email_root_domain": root_domain(domain),
        "email_local_specifier": local.lower(),
    }


def phone_of(text: str, country: str | None) -> dict[str, str] | None:
    """Read a phone number: with its + prefix, or local with a country; None when it is none."""
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    region = (
        phonenumbers.region_code_for_number(number)
        or country
        or phonenumbers.region_code_for_country_code(number.country_code or 0)
    )
    if region not in COUNTRY_CODES:
        return None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return {"phone_number": e164, "original_phone_number": text, "country_code": region}


def place_of(text: str) -> dict[str, str | None]:
    """Read "12 High St, London, England, EC2A 1AR, UK" as well as it can be read."""
    place: dict[str, str | None] = dict.fromkeys(
        (
            "line_1",
            "line_2",
            "line_3",
            "line_4",
            "locality",
            "region",
            "postcode",
            "country_code",
            "latitude",
            "longitude",
        )
    )
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if parts:
        code = _COUNTRIES.get(parts[-1].lower())
        if code is None and len(parts) > 1 and len(parts[-1]) == 2 and parts[-1] in COUNTRY_CODES:
            # "Austin, TX" is a state more often than Turks and Caicos; a third part settles it.
            code = parts[-1] if len(parts) > 2 else None
        if code is not None:
            place["country_code"] = code
            parts.pop()
    for part in parts[1:]:
        if re.fullmatch(r"(?=.*\d)[A-Z0-9][A-Z0-9 -]{2,9}", part):
            place["postcode"] = part
            parts.remove(part)
            break
    if parts and re.match(r"\d+\s|\S+.*\s\d+\w?$", parts[0]) and len(parts) > 1:
        place["line_1"] = parts.pop(0)
    if parts:
        place["locality"] = parts.pop(0)
    if parts:
        place["region"] = parts.pop(0)
    return place


def date_of(text: str) -> str | None:
    """Read a date; longer forms are cut, and one with a zone is cut in UTC."""
    match = _YEAR_MONTH_DAY.fullmatch(text.strip())
    try:
        if match is not None:
            year, month, day = match.groups()
            return date(int(year), int(month or 1), int(day or 1)).isoformat()
        instant = instant_of(text)
    except ValueError:
        return None
    return instant[:10] if instant else None


def instant_of(text: str) -> str | None:
    """Read an ISO 8601 instant as Attio keeps it: UTC, nanoseconds; UTC is assumed where no zone stands."""
    text = text.strip()
    match = _YEAR_MONTH_DAY.fullmatch(text)
    try:
        if match is not None:
            year, month, day = match.groups()
            return f"{date(int(year), int(month or 1), int(day or 1)).isoformat()}T00:00:00.000000000Z"
        match = _INSTANT.fullmatch(text)
        if match is None:
            return None
        day_text, hour, minute, second, fraction, zone = match.groups()
        if zone is None or zone in "Zz":
            offset = "+00:00"
        else:
            digits = zone[1:].replace(":", "").ljust(4, "0")
            offset = f"{zone[0]}{digits[:2]}:{digits[2:]}"
        moment = datetime.fromisoformat(f"{day_text}T{hour}:{minute}:{second or '00'}{offset}").astimezone(
            UTC
        )
    except (ValueError, OverflowError):
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{(fraction or '').ljust(9, '0')}Z".rjust(30, "0")


_DURATION = re.compile(
    r"P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?"
)


def is_duration(text: str) -> bool:
    """Tell whether a text is an ISO 8601 duration."""
    return _DURATION.fullmatch(text) is not None


def after(moment: datetime, duration: str) -> datetime:
    """Return the moment an ISO 8601 duration later; a month keeps its day where it can."""
    match = _DURATION.fullmatch(duration)
    assert match is not None
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    month0 = moment.month - 1 + months
    year, month = moment.year + years + month0 // 12, month0 % 12 + 1
    day = min(moment.day, calendar.monthrange(year, month)[1])
    span = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return moment.replace(year=year, month=month, day=day) + span
