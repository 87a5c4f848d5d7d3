"""How values are validated: converters, used once per class for the fields of models, and by name for arguments."""
