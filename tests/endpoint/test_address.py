"""Whose address a connection has."""

import pytest

from bridge.endpoint.address import networks, party, within, written_both_ways


@pytest.mark.parametrize(
    ("host", "counts_as"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("testclient", "testclient"),
        ("x" * 100, "x" * 45),
    ],
)
def test_a_client_is_an_address_or_a_network_that_one_customer_has(
    host: str, counts_as: str
) -> None:
    assert party(host) == counts_as


@pytest.mark.parametrize(
    ("host", "trusted"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("11.0.0.1", False),
        ("fd00::1", True),
        ("no address", False),
        ("", False),
    ],
)
def test_a_proxy_is_known_by_its_network(host: str, trusted: bool) -> None:
    assert within(host, networks(["10.0.0.0/8", "fd00::/8"])) is trusted


def test_an_ipv4_network_is_known_on_a_listener_for_ipv6_too() -> None:
    assert written_both_ways(["10.0.0.0/8", "fd00::1"]) == [
        "10.0.0.0/8",
        "fd00::1/128",
        "::ffff:10.0.0.0/104",
    ]
    networks(written_both_ways(["10.0.0.0/8"]))
