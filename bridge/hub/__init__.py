"""Which channels live, who waits at each, and which upstream leads it.

Nothing here opens a socket: upstreams and clients meet the hub through `bridge.seams`.
"""
