"""The client's side: what answers a WebSocket, an SSE request or a POST.

Nothing here talks to a backend; the hub and the uplink do, through `bridge.seams`.
"""
