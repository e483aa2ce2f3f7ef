"""The demonstration: an emulated backend, the bridge in front of it, and clients on both wires.

Everything is real but the rendering: real servers, real sockets, the bridge as it is served.
"""
