"""Photographers: whose photo is this, who works alike, and how sure are we.

It never trains: ``workers.photographers`` does, and leaves folders that are loaded here.

Start with ``service``.

* ``classifier``: The photographer classifier: loading a trained one, and asking it
* ``develop``: How photos are developed: settings, the change to a photographer's, and its colours
* ``photos``: Photos as arrays: features, names, groups of photos that belong together, folds
* ``profiles``: What sets photographers apart: traits, styles, shoots, drift, doubtful credits, maps
* ``aliases``: Renames applied to the answers of trained models
* ``answers``: Answers about photographers; the API and ``--json`` give these objects as they are
* ``display``: How photographers are shown: what people have said, or else what follows from their name
* ``folded_in``: Photographers folded into a trained photographer space, and their file ``placed.json``
* ``kept_list``: List of the photographers of a library, kept in a file until the library changes
* ``library_photos``: Cache of the library's photographers, reloaded when the library has changed
* ``model_facts``: What identifies a trained classifier: its version, digests of its files and of its training data
* ``model_registry``: Registry of trained models: versions, the one in use, and its loading
* ``nearest``: The photos of some photographers that are nearest to a photo, by style and by subject
* ``report``: Report of a classifier, which every training writes as ``report.json`` in the model's folder
* ``service``: Answers of pages, API and command line about photographers
* ``space``: The trained photographer space: one vector per photographer, and how its files are read
* ``training_files``: Files of a training that people look at: its plots and its logs
* ``training_summary``: Summary of a training for its job: a sentence or two
"""
