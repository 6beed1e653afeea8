"""What a score is worth: the probability that two media share a label, and how rare the score is.

It never ranks hits of several spaces; ``search.similar.fusion`` does.

Start with ``best_pairs``.

* ``best_pairs``: Scores two media by their best pair of vectors, corrected for how many pairs were tried
* ``curve``: Formula of the likeness: the probability that two media share a label, given their score
* ``curves``: Chooses the likeness curve of a space: learnt for this library, else shipped with the model
* ``labelled_pairs``: Draws pairs of labelled media, which likeness curves are learnt from and checked on
* ``percentile_curves``: Learns the percentile curves of a store on first use and anew as it grows; stores them in
  metadata
* ``percentiles``: Formula of the percentile curve: from a score to the share of random pairs that score lower
"""
