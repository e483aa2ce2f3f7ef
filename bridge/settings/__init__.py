"""The parts of the configuration: its model, where values come from, and how it is explained.

`bridge.config` is the door to all of it.
"""
