"""A client's own credential on its way to a backend, in place of the bridge's.

Decides which configured header it takes the place of, and where it stands in a URL; whose stream
that makes it, the channel's scope says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class OwnCredential:
    """One client's credential, for requests on its behalf.

    Attributes:
        value: as it stands in an Authorization header.
        header: the header that takes it.
        query: the query parameter that takes the bare token instead; empty for none.
    """

    value: str = field(repr=False)
    header: str = "Authorization"
    query: str = ""

    def headers(self, configured: Mapping[str, str]) -> dict[str, str]:
        """The configured headers with the credential in its place, whatever stood there."""
        mine = self.header.lower()
        kept = {name: value for name, value in configured.items() if name.lower() != mine}
        return kept if self.query else {**kept, self.header: self.value}

    def url(self, template: str) -> str:
        """A URL template with the credential in its query, where that is its place."""
        if not self.query or not template:
            return template
        base, mark, fragment = template.partition("#")
        token = self.value.partition(" ")[2] or self.value
        joint = "&" if "?" in base else "?"
        # braces would be fields of the template
        return f"{base}{joint}{quote(self.query, safe='')}={quote(token, safe='')}{mark}{fragment}"
