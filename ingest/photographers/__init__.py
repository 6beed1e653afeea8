"""Photographers: job kinds that credit photos, note dates and places, train models and fold new photographers in.

It never trains itself, which ``workers.training`` does, and never answers questions, which ``search.photographers``
does.

Start reading at ``labelling``.

* ``desk``: What people do by hand, at once: credit and undo, rename, say how photographers are shown
* ``facts``: Job task ``facts``: note when and where photos were taken by a table; and what that would change
* ``facts_table``: A table of dates and places: reading its lines, and finding the records that they mean
* ``fold_in``: Job task ``place_photographer``: fold a new photographer into the existing space.
* ``label_preview``: What a job that labels would change, without changing it
* ``labelling``: Job task ``label``: credit media to photographers, by files, folders, a table, groups or a person.
* ``table_matching``: Match the lines of a table of photographers with records, by path, folder or pattern of paths.
* ``tally``: The result of a job that labels, counted while it runs, and in sentences
* ``training``: Job tasks ``train_photographers`` and ``train_joint``: train a model on the library's photos.
"""
