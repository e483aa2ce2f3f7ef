"""Whether the candidate may take over: a pure fold of what was counted.

Decides pass, fail or insufficient, with the bound that the evidence allows. Too little evidence is
never a pass.
"""

from __future__ import annotations

from bridge.parity.binomial import upper_bound
from bridge.parity.options import CompareOptions
from bridge.parity.report import Evidence, Outcome, Verdict


def judge(
    evidence: Evidence, options: CompareOptions, silent: int = 0, findings: int = 0
) -> Verdict:
    """The verdict on what was counted.

    Args:
        evidence: what was counted.
        options: how much evidence is needed, and which share of differences may pass.
        silent: how many messages lay after the other side's last word.
        findings: how many differences nothing excuses; several may lie in one message.
    """
    compared = evidence.matched + evidence.failed
    bound = upper_bound(evidence.failed, compared, options.confidence) if compared else 1.0
    outcome, reason = _outcome(evidence, compared, bound, options, silent)
    if outcome is Outcome.PASS and findings and not options.max_share and not evidence.failed:
        outcome = Outcome.FAIL
        reason = f"nothing excuses {findings} of the differences that were found"
    return Verdict(outcome, reason, bound, options.confidence, evidence)


def _outcome(
    evidence: Evidence, compared: int, bound: float, options: CompareOptions, silent: int
) -> tuple[Outcome, str]:
    if not evidence.legacy or not evidence.candidate:
        return Outcome.INSUFFICIENT, _silence(evidence)
    if not compared:
        return Outcome.INSUFFICIENT, "the two sides have no message in common"
    enough = compared >= options.min_messages or not options.max_share
    if enough and evidence.failed > options.max_share * compared:
        share = f"{evidence.failed} of {compared} compared messages differ"
        return Outcome.FAIL, f"{share}, and nothing excuses that"
    lacking = _lacking(evidence, compared, bound, options, silent)
    if lacking:
        return Outcome.INSUFFICIENT, lacking
    if evidence.failed:
        shares = f"at most {bound:.3%} of messages differ, {options.max_share:.3%} may"
        return Outcome.PASS, f"{evidence.failed} of {compared} compared messages differ; {shares}"
    return Outcome.PASS, f"{compared} compared messages say the same"


def _lacking(
    evidence: Evidence, compared: int, bound: float, options: CompareOptions, silent: int
) -> str:
    """What is wanting for a pass, in one sentence; empty where nothing is."""
    if compared < options.min_messages:
        return f"{compared} messages were compared; {options.min_messages} are needed"
    if silent > options.max_silence * max(evidence.legacy, evidence.candidate):
        return f"one side fell silent: {silent} messages came after the other side's last word"
    if evidence.failed and bound > options.max_share:
        return (
            f"up to {bound:.3%} of messages may differ, more than {options.max_share:.3%};"
            " compare more of them"
        )
    return ""


def _silence(evidence: Evidence) -> str:
    if not evidence.legacy and not evidence.candidate:
        return "neither side said anything"
    silent = "the legacy side" if not evidence.legacy else "the candidate"
    return f"{silent} said nothing"
