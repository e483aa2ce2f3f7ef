"""Whether two streams say the same: nouns, comparison, noise, verdict, contracts, reports.

Pure: what reads backends, files and clocks lives in `bridge.verify` and `bridge.control`.
"""
