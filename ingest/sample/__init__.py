"""A library of invented pictures, films and sounds, made by code: what a stranger sees first."""

from ingest.sample.library import SampleLibrary, make_sample_library
from ingest.sample.plan import SampleFile

__all__ = ["SampleFile", "SampleLibrary", "make_sample_library"]
