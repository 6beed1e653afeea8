"""Find similar: examples in, ranked hits out, over all collections at once.

It never embeds: examples arrive as stored ids or as vectors.

Start with ``find``.

* ``reuse``: Which span of a film or recording is in which other, by fingerprints over time
* ``banding``: Finds the pairs of fingerprints that differ in few bits, without comparing all pairs
* ``copies``: Decides which hits are copies of an example, or shots of one burst with it: the same bytes, pixels, or an
  edit
* ``duplicates``: Finds what a library holds several times, in groups: exact copies, same pictures, edits; and bursts,
  apart
* ``edit_groups``: Puts pictures, films and recordings that look alike into groups: edits of one content, and shots of
  one burst
* ``examples``: Resolves the examples of a question to vectors, and blends them to one query a space
* ``find``: Answers a find-similar question: what is like these examples, within and across collections
* ``fusion``: Orders the hits of several spaces and collections in one list
* ``moments``: Where in a film or recording a hit matches, and the part of an example that asks
* ``near``: Decides whether two media are near duplicates: one picture, film or recording after an edit
* ``pivot``: Reaches sounds from pictures, and pictures from sounds, through the videos that hold both
* ``query_context``: Holds what one question needs in find, pivot and subject_style, and makes its queries
* ``questions``: Types of a find-similar question and its answer, as the API and ``--json`` show them
* ``scores``: Turns the engine's scores into likenesses and match percentages of best pairs of vectors
* ``shots``: Tells an edit of a picture from another shot of the scene, by capture time, camera, exposure and pixels
* ``subject_style``: Weighs what a picture shows (subject) against how it is developed (style), by one number
"""
