"""Charts as SVG, made on the server without scripts.

Colours come from the style sheet. The ``<title>`` of a chart says what it shows, and a table beside it has its values,
so that both can be read aloud. Every text and attribute is escaped by :func:`web.charts.svg.element`, which is the one
to read first.

* ``calibration``: Calibration curve as SVG: share of right answers against the probability they were given with
* ``lines``: Line charts of values over time, one per quantity, with common periods
* ``plane``: Draw maps on two principal axes of one scale: photographers by name, and photos as a cloud
* ``shoots``: Charts of shoots on a time axis, one a quantity, all with the same axis
* ``svg``: Make SVG elements, and map values to positions on a chart
"""
