"""Which IP addresses belong to the public Internet, and nowhere else."""

from ipaddress import ip_address, ip_network

_GLOBAL_UNICAST = ip_network("2000::/3")
"""All of IPv6 that was ever given out for the Internet."""

# What `ipaddress` counts as global although it leads elsewhere, or may in some Python versions.
_NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24",  # IETF protocol assignments
            "192.88.99.0/24",  # relays of 6to4
            "2001::/23",  # IETF protocol assignments, among them Teredo
            "2002::/16",  # 6to4: an IPv4 address inside
            "3fff::/20",  # documentation
        ),
    )
)


def is_public(address: str) -> bool:
    """Whether `address`, as a resolver spells it, is a public unicast address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return (
        (parsed.version == 4 or parsed in _GLOBAL_UNICAST)  # noqa: PLR2004 - IPv4
        and parsed.is_global
        and not parsed.is_multicast
        and not getattr(parsed, "scope_id", None)
        and not any(parsed in network for network in _NOT_PUBLIC)
    )


def is_loopback(address: str) -> bool:
    """Whether `address` is of this machine itself."""
    return ip_address(address).is_loopback
