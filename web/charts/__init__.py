"""Charts as SVG made on the server: no script is needed, colours come from the style sheet, and they can be read aloud.

A chart says in ``<title>`` what it shows; its figures stand in a table beside it, too. Every text and attribute goes
through :func:`web.charts.svg.element`, which escapes it.
"""
