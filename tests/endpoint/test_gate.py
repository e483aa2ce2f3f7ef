"""Relays behind a guard."""

import pytest
from websockets.exceptions import InvalidStatus

from bridge.endpoint.origin import BrowserOptions
from bridge.endpoint.relay_request import RelayOptions
from tests.endpoint.parts import ask, bridging, talking
from tests.support.issuers import bearer, by_token, token
from tests.support.relays import EVENT_STREAM, StepBackend

PATH = "/v2/echat"
EVIL = {"Origin": "https://evil.example", **bearer(token())}


async def test_a_relay_with_an_auth_is_reached_by_a_good_credential_alone() -> None:
    backend = StepBackend(headers=EVENT_STREAM)
    async with backend.running() as base:
        relay = RelayOptions(PATH, f"{base}/", auth="staff")
        async with bridging(relays=(relay,), auths=(by_token(name="staff"),)) as running:
            for headers, status in (({}, 401), (bearer("nonsense"), 401), (EVIL, 403)):
                answer = await ask(running.authority, "POST", PATH, headers=headers, data="{}")
                assert answer.status == status
                with pytest.raises(InvalidStatus) as caught:
                    async with talking(running.authority, PATH, additional_headers=headers):
                        pass
                assert caught.value.response.status_code == status
            async with talking(running.authority, PATH, additional_headers=bearer(token())):
                pass
            assert running.count("relay_streams", outcome="rejected") == 0
            backend.finish()
            good = await ask(running.authority, "POST", PATH, headers=bearer(token()), data="{}")
            assert good.status == 200


async def test_a_foreign_page_reaches_no_relay_even_where_no_credential_is_asked_for() -> None:
    backend = StepBackend(headers=EVENT_STREAM)
    browsers = BrowserOptions(("self", "https://app.example"))
    evil = {"Origin": "https://evil.example", "Content-Type": "text/plain"}
    async with backend.running() as base:
        relay = RelayOptions(PATH, f"{base}/", headers={"Authorization": "Bearer own"}, get=True)
        async with bridging(relays=(relay,), browsers=browsers) as running:
            answer = await ask(running.authority, "POST", PATH, headers=evil, data="{}")
            assert (answer.status, answer.json["code"]) == (403, "forbidden")
            got = await ask(running.authority, "GET", f"{PATH}?data={{}}", headers=evil)
            assert got.status == 403
            with pytest.raises(InvalidStatus) as caught:
                async with talking(running.authority, PATH, additional_headers=evil):
                    pass
            assert caught.value.response.status_code == 403
            assert backend.calls == []
            own = {"Origin": f"http://{running.authority}"}
            for headers in ({}, own, {"Origin": "https://app.example"}):
                backend.finish()
                answer = await ask(running.authority, "POST", PATH, headers=headers, data="{}")
                assert answer.status == 200
                async with talking(running.authority, PATH, additional_headers=headers):
                    pass
