"""The tests, laid out as the packages are: one module a source module.

`machines/` has the stateful Hypothesis machines, `vectors/` data, `e2e/` whole runs with real
peers, `support/` what several of them use.
"""
