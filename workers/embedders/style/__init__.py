"""The ``style`` space: how a picture is developed, apart from what it shows; and the training of it."""
