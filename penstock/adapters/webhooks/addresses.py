"""Which IP addresses belong to the public Internet, and nowhere else."""

from ipaddress import ip_address, ip_network

# What `ipaddress` counts as global although it leads elsewhere, or may in some Python versions.
_NOT_PUBLIC = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24",  # IETF protocol assignments
            "192.88.99.0/24",  # relays of 6to4
            "::/96",  # IPv4-compatible
            "::ffff:0:0/96",  # IPv4-mapped
            "64:ff9b::/96",  # NAT64: an IPv4 address inside
            "64:ff9b:1::/48",  # NAT64 of a network of its own
            "2001::/23",  # IETF protocol assignments, among them Teredo
            "2002::/16",  # 6to4: an IPv4 address inside
            "3fff::/20",  # documentation
            "5f00::/16",  # segment routing inside a network
            "fec0::/10",  # site-local, as it once was
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
        parsed.is_global
        and not parsed.is_multicast
        and not getattr(parsed, "scope_id", None)
        and not any(parsed in network for network in _NOT_PUBLIC)
    )


def is_loopback(address: str) -> bool:
    """Whether `address` is of this machine itself."""
    return ip_address(address).is_loopback
