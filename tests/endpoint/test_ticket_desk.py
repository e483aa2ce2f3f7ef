"""Tickets over HTTP, as a page and an EventSource use them."""

import pytest

from bridge.endpoint.auth_options import AuthOptions, TicketOptions
from tests.endpoint.parts import EVENTS, NAME, SOCKET, Running, ask, said, streaming, talking
from tests.endpoint.test_auth import guarding, refused
from tests.support.issuers import bearer, by_token, token
from tests.support.waiting import until

DESK = "/api/v1/tickets"


async def ticket(running: Running, query: str = "", desk: str = DESK) -> str:
    """A ticket for the usual token."""
    answer = await ask(running.authority, "POST", desk + query, headers=bearer(token()))
    assert answer.status == 201
    assert answer.headers["Cache-Control"] == "no-store"
    return str(answer.json["ticket"])


async def test_a_ticket_opens_one_stream_and_no_second(way: str) -> None:
    async with guarding() as (running, backend):
        path = f"{EVENTS}?ticket={await ticket(running)}"
        async with streaming(running.authority, path) as stream:
            await until(lambda: bool(backend.subscribers(NAME)))
            backend.publish(NAME, "hello")
            assert (await stream.event()).data == "hello"
            again = await ask(running.authority, "GET", path)
            assert (again.status, again.json["reconnect"]) == (401, False)


async def test_a_ticket_opens_a_socket_too() -> None:
    async with guarding() as (running, backend):
        path = f"{SOCKET}?ticket={await ticket(running)}"
        async with talking(running.authority, path) as socket:
            await until(lambda: bool(backend.subscribers(NAME)))
            backend.publish(NAME, "hello")
            assert await said(socket) == "hello"
        assert await refused(running, path) == 401


async def test_a_ticket_grants_no_more_than_its_credential() -> None:
    async with guarding() as (running, backend):
        path = f"/api/v1/events/project.2?ticket={await ticket(running)}"
        assert (await ask(running.authority, "GET", path)).status == 403
        assert backend.openings == []


async def test_a_ticket_buys_no_ticket() -> None:
    async with guarding() as (running, _):
        path = f"{DESK}?ticket={await ticket(running)}"
        assert (await ask(running.authority, "POST", path)).status == 401


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("", {}, 401),
        ("", bearer("nonsense"), 401),
        ("?channel=project.2", bearer(token()), 403),
        ("?channel=project.1", bearer(token()), 201),
        ("?channel=elsewhere", bearer(token()), 404),
        ("?channel=../x", bearer(token()), 404),
    ],
)
async def test_a_ticket_is_given_for_what_is_good_now(
    query: str, headers: dict[str, str], status: int
) -> None:
    async with guarding() as (running, _):
        answer = await ask(running.authority, "POST", DESK + query, headers=headers)
        assert answer.status == status


async def test_there_are_not_more_than_so_many() -> None:
    async with guarding(by_token(tickets=TicketOptions(most=1))) as (running, _):
        await ticket(running)
        answer = await ask(running.authority, "POST", DESK, headers=bearer(token()))
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0


async def test_each_auth_has_its_own_and_none_has_none() -> None:
    auths = (by_token(name="staff"),)
    async with guarding(AuthOptions(), auths=auths) as (running, _):
        assert await ticket(running, desk=f"{DESK}/staff")
        assert (await ask(running.authority, "POST", DESK)).status == 404


async def test_one_principal_leaves_tickets_for_the_others() -> None:
    async with guarding(by_token(tickets=TicketOptions(most=20))) as (running, _):
        mallory, alice = bearer(token(sub="mallory")), bearer(token(sub="alice"))
        answers = [
            (await ask(running.authority, "POST", DESK, headers=headers)).status
            for headers in (mallory, mallory, mallory, alice)
        ]
        assert answers == [201, 201, 503, 201]
