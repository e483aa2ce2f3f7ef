"""The configuration: gathered from all sources, checked as a whole, explained.

Decides the order of the sources (flags, `WS2SSE_*` variables, a TOML file, defaults) and that all
problems are told at once; the settings themselves are in `bridge.settings.model`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from bridge.ops.secrets import Mask, secrets_in
from bridge.settings import problems
from bridge.settings.explain import explain
from bridge.settings.model import Config, UpstreamOptions
from bridge.settings.references import LONE
from bridge.settings.sources import CONFIG_VARIABLE, read

__all__ = ["Config", "UpstreamOptions", "explain", "load"]


def load(
    path: Path | None = None,
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    needs_lead: bool = True,
) -> Config:
    """Gather, merge and check the configuration.

    Args:
        path: the TOML file; without one, the file that `WS2SSE_CONFIG` names, if it is set.
        flags: values by dotted key, such as `upstream.sse.url`; None means not given.
        environ: the environment, for `WS2SSE_*` and for `${NAME}`.
        needs_lead: whether `source` has to be chosen where two backends are given.

    Raises:
        ConfigError: something is wrong; `ConfigErrors` where several things are.
    """
    flags, environ = flags or {}, environ or {}
    if path is None and environ.get(CONFIG_VARIABLE):
        path = Path(environ[CONFIG_VARIABLE])
    sources = read(Config, path, flags, environ)
    if not needs_lead and not sources.tree.get("source") and len(_backends(sources.tree)) > 1:
        sources.tree["source"] = "legacy"
    config = None
    try:
        config = Config.model_validate(sources.tree)
    except ValidationError as error:
        problems.note(sources, error)
    if config is None or sources.problems:
        hidden = {each for each in secrets_in(sources.tree) if not LONE.fullmatch(each)}
        mask = Mask(sources.secrets.union(hidden))
        raise problems.collected(sources, mask)
    return config.hiding(frozenset(sources.secrets))


def _backends(tree: Mapping[str, object]) -> set[str]:
    upstream = tree.get("upstream")
    return {"ws", "sse"} & upstream.keys() if isinstance(upstream, dict) else set()
