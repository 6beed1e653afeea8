"""The preset benchmark: invented photographers, so that the truth is known.

It never touches a library.

Start with ``benchmark``.

* ``vectors``: The joint model's vectors held against the presets they stand for
* ``benchmark``: The preset benchmark on a folder of photos, from files to the table
* ``controls``: Control checks of the benchmark: no leak between the splits, no information but the preset
* ``encoder``: Coordinates for open-set recognition: statistics whitened by how much content changes them
* ``heads``: Classifiers of the benchmark, which name the photographer of a vector
* ``intervals``: Shares of a benchmark with 95 % intervals over seeds and photos, and how answers are counted
* ``observe``: Run developed photos through the product: JPEG file, decoder process, models
* ``open_set``: Open-set recognition: photos of unknown photographers distinguished from those of known ones
* ``options``: Options of the preset benchmark; imports no models
* ``photos``: Base photos of a folder, split so that gallery and question share neither photo nor subject
* ``presets``: Invented photographers, each a preset of developing pictures, so that measures of style have a truth
* ``product_models``: The product's models, loaded for the benchmark
* ``results``: Results of the preset benchmark; ``--json`` gives these objects as they stand
* ``rows``: Rows of the benchmark: representations of photos, each with the classifier used on it
* ``trial``: One seed of the benchmark: draw presets, develop photos, extract, train, evaluate
"""
