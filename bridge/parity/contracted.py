"""A comparison that a contract is held against as well, in the same pass.

Decides nothing itself: what breaks a contract is `bridge.parity.breach`'s business, and so is what
that means for the outcome.
"""

from __future__ import annotations

from bridge.parity.breach import Checker, judged
from bridge.parity.comparison import Comparison
from bridge.parity.contract import Contract
from bridge.parity.noise import Noise
from bridge.parity.observation import Sight
from bridge.parity.options import CompareOptions
from bridge.parity.report import Report


class Contracted(Comparison):
    """Compares what two backends say, and each of them with what was promised.

    Args:
        contract: what was promised.
        options: how to compare.
        noise: what was learned before about differences by nature.

    Raises:
        ConfigError: a schema is not usable.
    """

    def __init__(
        self,
        contract: Contract,
        options: CompareOptions | None = None,
        noise: Noise | None = None,
    ) -> None:
        super().__init__(options, noise)
        self._checker = Checker(contract)

    def take(self, sight: Sight) -> None:
        """As any comparison, and checked."""
        self._checker.take(sight)
        super().take(sight)

    def report(self) -> Report:
        """The outcome as it stands; what the candidate alone breaks fails it."""
        return judged(super().report(), self._checker.breaches())
