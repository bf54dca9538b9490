"""The compiled modules: ``_core``, all C++ kernels, and ``_convert``, edges of Python objects."""
