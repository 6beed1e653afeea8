"""The pages: the same questions as the API, for people.

They never answer what the API cannot.

Start with ``search``.

* ``photographers``: The dashboard of photographers, one module a page
* ``address``: The address of a question, from which every link of the search page is made
* ``formats``: Format numbers, times, sizes and places for people; also filters of the templates
* ``forms``: Read addresses and posted forms of pages into the dataclasses that the API takes for the same call
* ``install``: Register the pages, their navigation and their caches with a Flask application
* ``item``: Page of one stored media: the media itself, its facts, its copies and similar media
* ``jobs``: The pages of jobs with their progress, and of failed files
* ``library``: Pages of the library as a whole: duplicates, and the state of the store
* ``login``: Login form of a node with a token
* ``recent_uploads``: Remembers uploaded examples for a while, so that a question about one has an address
* ``results``: What the search page can be asked, and its answer as tiles with links to more
* ``search``: The search page: a question in the address, its answer as tiles
* ``tile_markup``: Tiles as HTML. A page has hundreds, and a template takes four times as long for each
* ``tiles``: One result as the grid shows it: the hit, and facts of its record
"""
