"""The platform's state and rules, without HTTP: a module per subject, composed by `platform.Platform`."""
