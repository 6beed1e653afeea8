"""Commands of ``likewise photographers``, a module each; they import what they need when they run.

* ``compare``: ``likewise photographers compare``: show two photographers beside each other
* ``desk``: commands for the picture desk: ``credit``, ``undo``, ``display``, ``facts`` and ``evidence``
* ``develop``: ``likewise photographers develop`` and ``development``: settings, LUTs and presets like somebody's
* ``group``: ``likewise photographers``: the group of the commands about photographers
* ``label``: ``likewise photographers label``: take photographers' names from files, folders, a table or groups
* ``listing``: ``likewise photographers list``: list the photographers with counts and dates
* ``predict``: ``likewise photographers predict``: predict the photographer of files or of stored photos, and judge them
  together
* ``presets``: ``likewise photographers presets``: how well style is told apart where the truth is known
* ``rename``: ``likewise photographers rename`` and ``merge``: change the name of a photographer, or join two
* ``report``: ``likewise photographers report`` prints what the classifier in use is worth
* ``show``: ``likewise photographers show``: show the profile of one photographer
* ``similar``: ``likewise photographers similar``: list the photographers who work like one
* ``tables``: Tables of the commands about photographers: with a title on a terminal, and of predictions as a CSV file
* ``over_time``: commands on shoots and the change of style: ``shoots`` and ``timeline``
* ``space``: commands on the photographer space: ``encode`` and ``place``
* ``train``: ``likewise photographers train``: train the classifier, or the photographer space
* ``who``: Find the id of the photographer whose name or id was typed
"""
