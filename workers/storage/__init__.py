"""Files wherever they lie: folders, buckets, previews, the place that web and workers share.

It never decodes what it reads.

Start with ``files``.

* ``beneath``: Open files below a folder, so that no symbolic link leads out of it
* ``disk_folder``: A folder on a disk for temporary files that are too large for memory
* ``files``: Read files in folders and in buckets; decoders get temporary copies of what is in a bucket
* ``objects``: List, read and write objects in buckets by fsspec
* ``previews``: Store preview pictures in the shared place as ``previews/ab/<id>.webp``, spread over 256 folders
* ``same_file``: Tell by which paths one and the same file is reached: hard and symbolic links
* ``sealed_webp``: A checksum in a WebP picture itself, by which damage of a stored preview is found
* ``shared_place``: Storage that web and workers share (``Settings.shared_place``): a folder, or a prefix of a bucket
* ``temporary_copies``: Temporary folder for copies of remote files, removed even after the process was killed
"""
