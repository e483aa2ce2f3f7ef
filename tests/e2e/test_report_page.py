"""The report's page in a real browser: its policy lets it look as it should and nothing else."""

from pathlib import Path

import pytest
from playwright.async_api import Page

from bridge.parity.report import Report
from bridge.parity.report_html import html
from tests.parity.samples import NASTY, REPORT


@pytest.mark.parametrize("report", [REPORT, NASTY], ids=["usual", "hostile"])
async def test_a_page_shows_without_a_complaint(report: Report, page: Page, tmp_path: Path) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    (tmp_path / "report.html").write_text(html(report))
    await page.goto((tmp_path / "report.html").as_uri())
    assert complaints == []
    # the policy let the style sheet pass
    border = "getComputedStyle(document.querySelector('.verdict')).borderLeftStyle"
    assert await page.evaluate(border) == "solid"
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_it_is_read_without_seeing_it(page: Page, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(html(REPORT))
    await page.goto((tmp_path / "report.html").as_uri())
    assert await page.get_by_role("img", name="How much later the candidate says").count() == 1
    assert await page.get_by_role("img", name="Differences over time").count() == 1
    assert "Fail" in await page.get_by_role("status").inner_text()
    await page.get_by_role("link", name="missing").click()
    assert await page.get_by_text("candidate said nothing").is_visible()
