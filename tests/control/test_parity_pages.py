"""What is shown of the shadow, to people and to machines."""

from typing import cast

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from bridge.control.parity_pages import ParityPages
from bridge.control.shadow import Shadow, Standing
from tests.parity.samples import HOSTILE, NASTY, REPORT


class Found:
    """A shadow that has found something."""

    is_given_up = True

    def live(self) -> tuple[str, ...]:
        return ("c.1",)

    def standings(self) -> tuple[Standing, ...]:
        return (Standing("c.1", True, REPORT, 3), Standing("c.2", False, NASTY, 0))

    async def standing(self, name: str) -> Standing | None:
        return next((each for each in self.standings() if each.channel == name), None)


async def got(path: str, accept: str = "*/*", shadow: object = Found()) -> httpx.Response:
    pages = ParityPages(cast("Shadow | None", shadow))
    app = Starlette(
        routes=[
            Route("/admin/parity", pages.overview),
            Route("/admin/parity/{channel}", pages.channel),
        ]
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://h") as client:
        return await client.get(path, headers={"Accept": accept})


async def test_machines_get_every_channel_and_one_report() -> None:
    overview = (await got("/admin/parity")).json()
    assert (overview["enabled"], overview["givenUp"], overview["comparing"]) == (
        True,
        True,
        ["c.1"],
    )
    assert [each["outcome"] for each in overview["channels"]] == ["fail", "fail"]
    one = (await got("/admin/parity/c.1")).json()
    assert (one["live"], one["skipped"], one["report"]["outcome"]) == (True, 3, "fail")


@pytest.mark.parametrize("path", ["/admin/parity", "/admin/parity/c.2"])
async def test_people_get_a_page_that_loads_nothing_and_runs_nothing(path: str) -> None:
    answer = await got(path, "text/html")
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert HOSTILE not in answer.text
    assert "<script" not in answer.text


async def test_a_channel_that_is_not_compared_is_not_found() -> None:
    assert (await got("/admin/parity/c.3")).status_code == 404


async def test_nothing_compared_is_said_so() -> None:
    assert (await got("/admin/parity", shadow=None)).json()["enabled"] is False
    assert "Nothing is compared" in (await got("/admin/parity", "text/html", None)).text
    assert (await got("/admin/parity/c.1", shadow=None)).status_code == 404
