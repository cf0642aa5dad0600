"""Doors that Salesforce has closed, and says so: the SOAP login, and the first Bulk API."""

from __future__ import annotations

from attio_console.sandbox.server import Request, Response, Router

PATHS = ("/services/Soap/", "/services/async/")
"""Nobody needs a session to be told."""
_FAULT = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:sf="urn:fault.partner.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>'
    "<soapenv:Fault><faultcode>sf:{code}</faultcode><faultstring>{code}: {why}</faultstring><detail>"
    '<sf:LoginFault xsi:type="sf:LoginFault"><sf:exceptionCode>{code}</sf:exceptionCode>'
    "<sf:exceptionMessage>{why}</sf:exceptionMessage></sf:LoginFault></detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>"
)


def add_routes(router: Router) -> None:
    """Serve the refusals."""
    for kind in ("u", "c"):
        for path in (f"/services/Soap/{kind}/{{version}}", f"/services/Soap/{kind}/{{version}}/{{org}}"):
            router.add("POST", path, _soap)
    router.add("POST", "/services/async/{version}/job", _bulk)


def _soap(request: Request) -> Response:  # noqa: ARG001
    body = _FAULT.format(
        code="INVALID_OPERATION", why="SOAP API login() is disabled by default in this org. Use OAuth."
    )
    return Response(500, body.encode(), [("content-type", "text/xml; charset=utf-8")])


def _bulk(request: Request) -> Response:  # noqa: ARG001
    why = "Bulk API 1.0 is not enabled for this org; use Bulk API 2.0, /services/data/vXX.X/jobs"
    return Response.json({"exceptionCode": "FeatureNotEnabled", "exceptionMessage": why}, 400)
