"""What the settings check about addresses."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import SplitResult


def has_host(parts: SplitResult) -> bool:
    """Whether an address has a host, and a port that is a number or none."""
    try:
        return bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def is_private(host: str) -> bool:
    """Whether a host is on this machine or in a private network: an address of such a range, or a name without dots."""
    try:
        return ip_address(host).is_private
    except ValueError:
        return "." not in host
