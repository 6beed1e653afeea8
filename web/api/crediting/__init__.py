"""API calls by which people say who took what, how photographers and shoots are called, when and where photos were
taken.

Labels from files, folders, tables and groups are jobs, in ``web.api.photographers``.

* ``by_hand``: API calls that credit photos by hand, undo it, and rename, merge and display photographers
* ``facts``: API calls that note dates and places from a table, and say what that would change
* ``shoots``: API calls about shoots: list and name a photographer's, and see them with the style on one time axis
"""
