"""Answers questions: what is like this, what shows these words, whose style is this.

It never opens a media file, loads a network or trains anything: it reads vectors and models that ``workers`` made.

Start with ``similar.find``.

* ``evaluation``: How good the answers of a library are, measured on labelled media
* ``likeness``: What a score is worth: the probability that two media share a label, and how rare the score is
* ``model_descriptions``: The models Likewise knows, as data: which space each fills, from which weights, on which
  preprocessing
* ``photographers``: Photographers: whose photo is this, who works alike, and how sure are we
* ``records``: Stored records without a question by example: one, a page of them, counts of their values
* ``similar``: Find similar: examples in, ranked hits out, over all collections at once
* ``store``: Vectors and payloads at rest: one protocol, an embedded engine and a Qdrant server
* ``words``: Search by words: concepts and colours that pictures show, phrases, and text written about them
* ``addresses``: Where media lies, as text: an absolute POSIX path or an address such as ``s3://bucket/a.jpg``
* ``bounds``: Bounds of what comes from outside: texts that databases and JSON readers keep, and numbers in their ranges
* ``deadlines``: How long a request waits for the services behind it, and who asks one that does not answer
* ``errors``: Every error that Likewise raises on purpose
* ``labels``: Reads the labels of files from the folders they lie in or from a manifest
* ``logs``: Configures logging: lines for people, or one JSON object a line
* ``media``: The record of one piece of media, and the payload that is stored of it
* ``metrics``: Counts and times what a process does, for Prometheus
* ``per_store``: Keeps one object for each store, made on first use and released with the store
* ``scrape``: Shows the counts of ``search.metrics`` to Prometheus, of one process or of several
* ``settings``: Settings, read once at the entry point and frozen
* ``sidecars``: Names of XMP sidecars: files beside a picture or recording that hold what an editor knows of it
* ``spaces``: Vector spaces: which numbers may be compared with which
* ``transfer``: Copies collections from one store into another, point by point
* ``vectors``: Normalises rows of vectors
"""
