"""The backend's side: one module a kind of upstream, and what keeps it connected.

An upstream reads and writes one backend stream and knows nothing of clients or logs.
"""
