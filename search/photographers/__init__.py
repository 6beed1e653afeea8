"""Answers about photographers: predictions, profiles, similar photographers, photographer space.

Nothing here trains: ``workers.photographers`` does. Start reading at ``service``.
"""
