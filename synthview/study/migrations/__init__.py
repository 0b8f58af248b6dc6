"""How the study's record came to have the tables it has: Alembic's migrations, oldest first in ``versions``.

A migration stands as it was written; what later versions need is a new one.
"""
