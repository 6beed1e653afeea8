"""Profiles of photographers: traits, styles, sessions, similar photographers, doubtful credits.

Nothing here is trained or kept. Start reading at ``people``.
"""
