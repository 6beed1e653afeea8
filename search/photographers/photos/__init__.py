"""Photos as arrays: features, names, groups of photos that belong together, folds.

It never reads pixels; ``workers.decode`` computes the features.

Start with ``dataset``.

* ``dataset``: The photos of a library as arrays, the data set of everything about photographers
* ``disjoint_sets``: Disjoint sets of photos (union-find with path halving), and groups as arrays
* ``features``: The 78 handcrafted features of a picture: name, meaning, unit, range, formula and source of each
* ``grouping``: Groups of photos that a train-test split must not separate: shoots, with near duplicates
* ``labels``: Photographers' names from folder names, from a table, or from clusters of similar photos
* ``looks``: Evidence of looks: whether photos that follow one another are of one shoot
* ``names``: Photographers' names: cleaning, comparison and ids
* ``nobody``: Texts in fields of names that name nobody: placeholders, makers and models of cameras, programs
* ``shoots``: Shoots of a library: photos that were taken in one place without a long pause, with their near duplicates
* ``sample``: What is credited to whom in a library of any size, counted, and a stratified sample of its photos
"""
