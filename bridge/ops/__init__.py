"""What the people who run the bridge look at: metrics.

Nothing here is on the path of an event.
"""
