from search.errors import UnsupportedMediaError


def decode_streams(path, name, options):
    raise UnsupportedMediaError(f"'{name}' later")
