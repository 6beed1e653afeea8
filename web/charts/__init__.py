"""Charts as SVG, made on the server without scripts.

Colours come from the style sheet. The ``<title>`` of a chart says what it shows, and a table beside it has its values,
so that both can be read aloud. Every text and attribute is escaped by :func:`web.charts.svg.element`, which is the one
to read first.
"""
