"""JSON Schemas of rule and test files, for editors: made from the marshmallow schemas and tables that check the files.

They say what can be said of a file without knowing names and types, and never refuse what `tandem rules check` accepts.
"""

from services.rules.schemas.rule_files import rule_file_schema
from services.rules.schemas.test_files import test_file_schema

__all__ = ["SCHEMAS"]

SCHEMAS = {"rules": rule_file_schema, "tests": test_file_schema}
