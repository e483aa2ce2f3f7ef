"""`/admin/parity`: what the shadow found, for people and for machines.

Decides by `Accept` which of the two is answered; what stands there is the reports'.
"""

from __future__ import annotations

from html import escape
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bridge.control.shadow import Shadow, Standing
from bridge.endpoint.answers import NO_STORE, answer
from bridge.parity import report_html, report_json, wording

_PAGE = NO_STORE | {
    "Content-Security-Policy": f"{report_html.POLICY}; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class ParityPages:
    """Both pages.

    Args:
        shadow: the comparisons; None where nothing is compared.
    """

    def __init__(self, shadow: Shadow | None) -> None:
        self._shadow = shadow

    async def overview(self, request: Request) -> Response:
        """Every channel that is or was compared."""
        standings = self._shadow.standings() if self._shadow else ()
        if _wants_page(request):
            page = report_html.page("Parity", _overview(self._shadow, standings))
            return HTMLResponse(page, headers=_PAGE)
        body = {
            "enabled": self._shadow is not None,
            "givenUp": bool(self._shadow and self._shadow.is_given_up),
            "comparing": list(self._shadow.live()) if self._shadow else [],
            "channels": [_summary(each) for each in standings],
        }
        return answer(200, body)

    async def channel(self, request: Request) -> Response:
        """One channel's report."""
        name = request.path_params["channel"]
        standing = await self._shadow.standing(name) if self._shadow else None
        if standing is None:
            reason = "this channel is not compared, or has no report yet"
            return answer(404, {"code": "not-found", "reason": reason})
        if _wants_page(request):
            return HTMLResponse(report_html.html(standing.report), headers=_PAGE)
        body = report_json.document(standing.report)
        return answer(200, {"live": standing.is_live, "skipped": standing.skipped, "report": body})


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _summary(standing: Standing) -> dict[str, Any]:
    verdict, lag = standing.report.verdict, standing.report.lag
    return {
        "channel": standing.channel,
        "live": standing.is_live,
        "outcome": verdict.outcome.value,
        "reason": verdict.reason,
        "matched": verdict.evidence.matched,
        "failed": verdict.evidence.failed,
        "skipped": standing.skipped,
        "p50": lag.p50,
        "p99": lag.p99,
    }


def _overview(shadow: Shadow | None, standings: tuple[Standing, ...]) -> str:
    if shadow is None:
        return "<h1>Parity</h1><p>Nothing is compared: <code>[shadow] channels</code> is empty.</p>"
    given_up = "<p>Comparing was given up, since it hung; see the log.</p>"
    rows = "".join(map(_row, standings))
    return f"""\
<h1>Parity of both backends, beside the delivery</h1>{given_up * shadow.is_given_up}
<p>{wording.counted(len(shadow.live()), "channel")} compared now.</p>
<div class="scroll"><table class="findings"><thead><tr><th scope="col">Channel</th>\
<th scope="col">Outcome</th><th scope="col">Why</th><th scope="col" class="number">Matched</th>\
<th scope="col" class="number">Failed</th><th scope="col">Lag p50, p99</th></tr></thead>\
<tbody>{rows}</tbody></table></div>"""


def _row(standing: Standing) -> str:
    report, name = standing.report, escape(standing.channel)
    verdict, lag = report.verdict, report.lag
    times = f"{wording.seconds(lag.p50)}, {wording.seconds(lag.p99)}" if lag.count else "-"
    state = "live" if standing.is_live else "ended"
    return (
        f'<tr><td><a href="/admin/parity/{name}">{name}</a> ({state})</td>'
        f"<td>{verdict.outcome.value}</td><td>{escape(wording.visible(verdict.reason))}</td>"
        f'<td class="number">{wording.number(verdict.evidence.matched)}</td>'
        f'<td class="number">{wording.number(verdict.evidence.failed)}</td><td>{times}</td></tr>'
    )
