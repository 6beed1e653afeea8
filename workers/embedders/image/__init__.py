"""Networks that see single pictures, and what is read off their outputs.

They never see a video as such: key frames arrive as pictures.

Start with ``resnet``.

* ``colours``: Shares of a picture's pixels under the eleven basic colour terms
* ``concepts``: Sparse vector of a picture or video over WordNet's concepts and the basic colours
* ``efficientnet``: EfficientNet-Lite0 on ImageNet: the 1280 averaged activations before its classifier
* ``fuse_batchnorm``: Fuse batch normalisation into the convolution before it: equal results with less work on a CPU
* ``openclip``: open_clip's two towers: pictures and words as unit vectors of one space
* ``resnet``: ResNet-18 on ImageNet: the 512 averaged activations before its classifier
"""
