"""Side by side with real peers: the bridge's cost beside that of servers which people know.

Decides nothing for the product and is not shipped with it. `make bench` runs it; the README here
says how it measures and what it can't.
"""
