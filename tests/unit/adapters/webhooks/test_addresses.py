"""Which addresses are called."""

import pytest

from penstock.adapters.webhooks.addresses import is_public

PUBLIC = ("8.8.8.8", "1.1.1.1", "203.0.114.1", "2606:4700::1111", "2a00:1450:4001::200e")
ELSEWHERE = {
    "this network": ("0.0.0.0", "0.1.2.3", "::"),  # noqa: S104 - looked at, not bound
    "loopback": ("127.0.0.1", "127.255.255.254", "::1"),
    "private": ("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "fd00::1", "fc00::1"),
    "link-local": ("169.254.0.1", "fe80::1", "fe80::1%eth0", "fe80::1%25eth0"),
    "instance metadata": ("169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254"),
    "carrier-grade NAT": ("100.64.0.1", "100.127.255.255"),
    "IETF protocols": ("192.0.0.1", "192.0.0.9", "192.0.0.170", "2001::1", "2001:20::1"),
    "documentation": ("192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"),
    "benchmarks": ("198.18.0.1", "198.19.255.255", "2001:2::1"),
    "multicast": ("224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1"),
    "reserved": ("240.0.0.1", "255.255.255.255"),
    "IPv4-mapped": ("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::ffff:a9fe:a9fe"),
    "IPv4-compatible": ("::127.0.0.1", "::8.8.8.8"),
    "IPv4-translated": ("::ffff:0:7f00:1", "::ffff:0:808:808"),
    "unallocated": ("400::1", "1fff::1", "4000::1", "8000::1", "a000::1", "e000::1"),
    "NAT64": ("64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1"),
    "6to4": ("2002:7f00:1::", "2002:808:808::1", "192.88.99.1"),
    "Teredo": ("2001:0:4136:e378:8000:63bf:3fff:fdd2",),
    "site-local": ("fec0::1",),
    "discard": ("100::1",),
    "segment routing": ("5f00::1",),
    "no address": ("", "localhost", "8.8.8.8.", "08.8.8.8", "0x08080808", "134744072", "8.8.2056"),
}


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_called(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address", [address for addresses in ELSEWHERE.values() for address in addresses]
)
def test_nothing_else_is_called(address: str) -> None:
    assert not is_public(address)
