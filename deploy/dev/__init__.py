"""Real services on this machine's loopback, for development and tests. Nothing here is for others.

``python -m deploy.dev start seaweed|postgres --root DIR`` and ``stop --root DIR``.
"""
