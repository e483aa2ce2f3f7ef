"""What legacy code imports to keep its interface while the transport underneath changes.

Client and server helpers that stand alone live here. The bridge itself does not: a program that
uses `compat` needs nothing from the running bridge but its URLs.
"""
