"""Validation of values: converters for the fields of models, chosen once per class, and for arguments."""
