"""The report as a page: whole by itself, and nothing foreign in it acts."""

import re
from html.parser import HTMLParser

import pytest

from bridge.parity.report import Report
from bridge.parity.report_html import POLICY, html
from tests.parity.samples import ALL, HOSTILE, NASTY, REPORT

VOID = frozenset({"meta"})


class Tree(HTMLParser):
    """Checks that elements are closed in order, and keeps what a page could load."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.styled = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        self.styled += any(name == "style" or name.startswith("on") for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def parsed(report: Report) -> Tree:
    tree = Tree()
    tree.feed(html(report))
    tree.close()
    assert tree.open == []
    return tree


@pytest.mark.parametrize("report", ALL)
def test_a_page_is_whole_and_needs_nothing_else(report: Report) -> None:
    tree = parsed(report)
    assert not {"script", "link", "img", "iframe", "object"} & set(tree.tags)
    assert [link for link in tree.links if not link.startswith("#finding-")] == []
    assert tree.styled == 0
    assert "url(" not in html(report)


def test_foreign_text_is_text() -> None:
    page = html(NASTY)
    assert HOSTILE not in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not set(page) & {"\x1b", "\0", "\u202e"}


def test_a_finding_of_the_table_leads_to_its_example() -> None:
    page = html(REPORT)
    for target in re.findall(r'href="#(finding-\d+)"', page):
        assert f'id="{target}"' in page


def test_the_page_carries_its_policy() -> None:
    assert f'content="{POLICY}"' in html(REPORT)
    assert "default-src 'none'" in POLICY


def test_what_differs_is_marked_in_the_example() -> None:
    assert "<mark>a</mark>" in html(REPORT)
    assert "<mark>b</mark>" in html(REPORT)
