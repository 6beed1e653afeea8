"""Pictures: pixels, colours, pages, damage, camera raw files.

It never writes to the file it reads.

Start with ``picture``.

* ``borders``: What surrounds a picture in its file and is no part of it
* ``handcrafted``: The 78 handcrafted features of a picture, as ``search.photographers.photos.features`` defines them
* ``camera_raw``: Decode raw files of cameras by their embedded preview; needs the optional package rawpy (LibRaw)
* ``colour_profiles``: Convert pictures with an ICC profile, or other words on their colours, to sRGB by littleCMS
* ``colours``: Bring a loaded picture to sRGB by whatever it says of its colours, and onto a background if it is
  partly clear
* ``deep``: Read what Pillow does not: merged pictures of deep and large Photoshop files, TIFFs of floats or wide
  integers
* ``geometry``: Crop, resize and shrink pictures and frames, as models and previews need them
* ``hdr``: Find how HDR and wide-gamut stills code their colours where no ICC profile says so: cICP of PNG, nclx of
  HEIF, AVIF
* ``matrix_profiles``: Make small ICC profiles of RGB and gray spaces that files name without one: Adobe RGB, PNG's
  gAMA and cHRM
* ``orientation``: Turn stills upright: the one place that says which formats still lie after they are decoded
* ``pages``: Choose the page or frame that stands for a file with several: no reduced copies, no blank first frames
* ``picture``: Decode pictures, whatever their names: upright, sRGB, cropped for the image models
* ``pixel_hash``: Hash the upright pixels of a picture, so that files that differ in other things only are known to
  show the same
* ``pixel_modes``: Convert pictures of any pixel mode of Pillow to RGB
* ``scans``: How much of a progressive JPEG its scans hold
* ``transparency``: Lay pictures that are partly transparent on a plain background on which what is drawn can be seen
* ``truncated``: Decode pictures whose file is cut or damaged as far as they go, and measure how much of them is
  missing
"""
