"""Photos of a library as arrays, with their features, photographers' names and groups.

Nothing here decodes files or trains. Start reading at ``dataset``.
"""
