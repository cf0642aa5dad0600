"""Webhook deliveries: the listener, signatures, and the registration at Attio."""

from attio_console.webhook.listener import Listener, ListenerCounts
from attio_console.webhook.server import Address, serve
from attio_console.webhook.signature import sign, verify

__all__ = ["Address", "Listener", "ListenerCounts", "serve", "sign", "verify"]
