"""How a picture is developed, apart from what it shows: the ``style`` space, and the training of its own weights."""
