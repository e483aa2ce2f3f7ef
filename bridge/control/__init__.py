"""What watches and steers a running bridge beside its traffic: the shadow and the admin routes.

Never on the path of a delivery: whatever fails here, clients notice nothing.
"""
