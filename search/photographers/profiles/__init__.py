"""Profiles of photographers from their photos: traits, styles, sessions, similar photographers, doubtful credits.

Nothing here is trained or kept. Start reading at ``people``.
"""
