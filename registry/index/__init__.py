"""The index: millions of entries in one file, from which the best are read without reading all."""
