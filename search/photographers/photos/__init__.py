"""Photos as arrays: features, names, groups of photos that belong together, folds.

It never reads pixels; ``workers.decode`` computes the features.

Start with ``dataset``.

* ``dataset``: The photos of a library as arrays, the data set of everything about photographers
* ``features``: The 78 handcrafted features of a picture: name, meaning, unit, range, formula and source of each
* ``grouping``: Groups of photos that a train-test split must not separate: near duplicates, bursts and sessions
* ``labels``: Photographers' names from folder names, from a table, or from clusters of similar photos
* ``names``: Photographers' names: cleaning, comparison and ids
* ``nobody``: Texts in fields of names that name nobody: placeholders, makers and models of cameras, programs
"""
