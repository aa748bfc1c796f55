"""Conversions: models that packages carry in another format, as transformers reads them."""
