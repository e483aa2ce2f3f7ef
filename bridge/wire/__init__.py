"""What crosses the wire: codecs, nouns and tables. Pure: no event loop, no clock, no random.

Bytes in, values out, and back. Sockets, files and HTTP clients live in `upstream` and `endpoint`.
"""
