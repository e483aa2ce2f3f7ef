"""Which pages are let in."""

import pytest

from bridge.endpoint.origin import BrowserOptions, Origins, Page

APP = "https://app.example"


@pytest.mark.parametrize(
    ("origin", "host", "secure", "admitted"),
    [
        ("http://a.example:8080", "a.example:8080", False, True),
        ("https://a.example", "a.example", False, True),
        ("https://a.example", "a.example:443", False, True),
        ("https://A.example", "a.EXAMPLE", False, True),
        ("http://[::1]:80", "[::1]", False, True),
        ("http://a.example", "a.example", True, False),
        ("http://a.example", "a.example:8080", False, False),
        ("http://evil.example", "a.example", False, False),
        ("http://a.example.evil.example", "a.example", False, False),
        ("http://a.example@evil.example", "a.example", False, False),
        ("null", "null", False, False),
        ("", "", False, False),
        ("file://", "", False, False),
    ],
)
def test_by_default_only_pages_of_the_bridges_own_host_are(
    origin: str, host: str, *, secure: bool, admitted: bool
) -> None:
    assert Origins().admit(Page(origin, host, secure=secure)) is admitted


def test_what_is_no_page_is_let_in() -> None:
    assert Origins(()).admit(Page(None, "a.example"))


def test_a_list_takes_the_place_of_the_default() -> None:
    listed = Origins((APP,))
    assert listed.admit(Page(APP, "a.example"))
    assert listed.admit(Page("HTTPS://APP.example:443", "a.example"))
    assert not listed.admit(Page("http://app.example", "a.example"))
    assert not listed.admit(Page("https://a.example", "a.example"))


@pytest.mark.parametrize(
    ("page", "admitted"),
    [
        (Page(APP), True),
        (Page("https://evil.example"), False),
        (Page(None, site="same-origin"), True),
        (Page(None, site="none"), True),
        (Page(None), True),
        (Page(None, site="cross-site"), False),
        (Page(None, site="same-site"), False),
    ],
)
def test_cookies_count_only_where_the_page_is_known(page: Page, *, admitted: bool) -> None:
    assert Origins((APP,)).admit_cookies(page) is admitted


def test_a_wildcard_lets_pages_in_and_their_cookies_out() -> None:
    assert Origins(("*",)).admit(Page("https://evil.example"))
    assert not Origins(("*",)).admit_cookies(Page("https://evil.example"))


@pytest.mark.parametrize(
    "origins",
    [("https://a.example/",), ("a.example",), ("null",), ("*", APP), ("https://*.example",)],
)
def test_what_is_no_origin_is_refused(origins: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="origins holds"):
        BrowserOptions(origins)


def test_an_age_is_not_negative() -> None:
    with pytest.raises(ValueError, match="max_age"):
        BrowserOptions(max_age=-1)
