"""An application of Django with encrypted fields, for the tests."""
