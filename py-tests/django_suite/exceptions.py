"""The tests of Django that cannot hold for ciphertext, by name, each with its reason and what happens instead."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import django

DATABASES = ("sqlite", "postgresql")
MODES = ("random", "deterministic")


@dataclass(frozen=True)
class Exceptions:
    """Tests that fail for one reason."""

    reason: str
    #: What they fail with: a regular expression of the class of the error and its text.
    error: str
    #: By the class: the tests without `test_`.
    tests: dict[str, str]
    #: Elsewhere they pass, or fail for a reason that stands in another entry.
    databases: tuple[str, ...] = DATABASES
    modes: tuple[str, ...] = MODES
    #: The version of Django that has the tests first.
    since: tuple[int, int] = (5, 2)

    def names(self) -> Iterator[str]:
        """The whole name of each test."""
        for where, tests in self.tests.items():
            yield from (f"{where}.test_{test}" for test in tests.split())


def of(database: str, mode: str) -> dict[str, Exceptions]:
    """Those that count for a run, by the name of the test."""
    counting = [
        it
        for it in EXCEPTIONS
        if database in it.databases and mode in it.modes and it.since <= django.VERSION[:2]
    ]
    found = {name: it for it in counting for name in it.names()}
    assert len(found) == sum(len(list(it.names())) for it in counting), "a test is listed twice"
    return found


EXCEPTIONS = (
    Exceptions(
        "equality is found where values are deterministic, or by a BlindIndexField",
        r"FieldError: \S+ is encrypted \(mode random\) and cannot be found by exact",
        {
            "test_binaryfield.BinaryFieldTests": "filter filter_bytearray filter_memoryview",
            "test_charfield.TestCharField": "assignment_from_choice_enum lookup_integer_in_charfield",
            "test_decimalfield.DecimalFieldTests": "filter_with_strings",
            "test_integerfield.BigIntegerFieldTests": "coercing",
            "test_integerfield.IntegerFieldTests": "coercing",
            "test_jsonfield.TestQuerying": "exact exact_complex",
            "test_textfield.TextFieldTests": "lookup_integer_in_textfield",
            "test_uuid.TestQuerying": "exact",
            "test_uuid.TestSaveLoad": "wrong_value",
            "tests.GetChoicesLimitChoicesToTests": "get_choices get_choices_reverse_related_field",
        },
        modes=("random",),
    ),
    Exceptions(
        "the database cannot compare ciphertext by anything but equality",
        r"FieldError: \S+ is encrypted \(mode \w+\) and cannot be found by (?!exact)",
        {
            "test_datetimefield.DateTimeFieldTests": (
                "lookup_date_with_use_tz lookup_date_without_use_tz"
            ),
            "test_decimalfield.DecimalFieldTests": (
                "lookup_decimal_larger_than_max_digits lookup_really_big_value"
            ),
            "test_integerfield.BigIntegerFieldTests": "documented_range",
            "test_integerfield.IntegerFieldTests": "documented_range",
            "test_uuid.TestQuerying": (
                "contains endswith filter_with_expr icontains iendswith iexact istartswith startswith"
            ),
        },
    ),
    Exceptions(
        "the database cannot order by ciphertext",
        r"FieldError: \S+ is encrypted \(mode \w+\) and cannot be ordered by",
        {
            "tests.GetChoicesOrderingTests": (
                "get_choices get_choices_default_ordering "
                "get_choices_reverse_related_field_default_ordering"
            ),
        },
    ),
    Exceptions(
        "a document is sealed as a whole: no lookup goes into it",
        r"FieldError: (\S+ is encrypted \(mode \w+\) and cannot be "
        r"(found by (?!exact)|looked into by |computed with)|Cannot resolve keyword '\w+' into field\. Join on)",
        {
            "test_jsonfield.TestMethods": "get_transforms",
            "test_jsonfield.TestQuerying": (
                "deep_lookup_array deep_lookup_mixed deep_lookup_objs deep_lookup_transform deep_values "
                "expression_wrapper_key_transform has_any_keys has_key has_key_deep has_key_list "
                "has_key_null_value has_key_number has_keys icontains isnull_key isnull_key_or_none "
                "join_key_transform_annotation_expression key_endswith key_escape key_icontains "
                "key_iendswith key_iexact key_in key_iregex key_istartswith key_quoted_string key_regex "
                "key_startswith key_text_transform_char_lookup key_text_transform_from_lookup "
                "key_transform_annotation_expression key_transform_expression "
                "key_transform_raw_expression key_values key_values_boolean "
                "literal_annotation_filtering lookup_exclude lookup_exclude_nonexistent_key "
                "lookups_special_chars lookups_with_key_transform "
                "nested_key_transform_annotation_expression nested_key_transform_expression "
                "nested_key_transform_on_subquery nested_key_transform_raw_expression none_key "
                "none_key_and_exact_lookup none_key_exclude obj_subquery_lookup "
                "order_grouping_custom_decoder ordering_by_transform ordering_grouping_by_count "
                "ordering_grouping_by_key_transform shallow_list_lookup shallow_lookup_obj_target "
                "shallow_obj_lookup usage_in_subquery"
            ),
        },
    ),
    Exceptions(
        "the same, in tests that not every database has",
        r"FieldError: (\S+ is encrypted \(mode \w+\) and cannot be (found|looked into) by "
        r"|Cannot resolve keyword 'k' into field\. Join on)",
        {
            "test_jsonfield.TestQuerying": (
                "array_key_contains contained_by contains contains_contained_by_with_key_transform "
                "contains_primitives deep_distinct key_contains key_sql_injection "
                "lookups_special_chars_double_quotes"
            ),
        },
        databases=("postgresql",),
    ),
    Exceptions(
        "the same, in tests that not every database has",
        r"FieldError: \S+ is encrypted \(mode \w+\) and cannot be found by ",
        {
            "test_jsonfield.TestQuerying": (
                "contained_by_unsupported contains_unsupported key_sql_injection_escape"
            ),
        },
        databases=("sqlite",),
    ),
    Exceptions(
        "a value is bound to its table and column, which a field of no model has not",
        r"FieldError: \S+ belongs to no model",
        {
            "test_decimalfield.DecimalFieldTests": "get_db_prep_value",
            "test_jsonfield.TestMethods": "get_prep_value",
            "test_jsonfield.TestQuerying": "has_key_literal_lookup",
        },
    ),
    Exceptions(
        "None is NULL; the database cannot seal an expression, also where it is one of JSON's null",
        r"FieldError: \S+ is encrypted, and the database cannot seal what an expression",
        {"test_jsonfield.TestSaveLoad": "json_null_different_from_sql_null"},
    ),
    Exceptions(
        "the error is of the same class, and does not show the value",
        r"AssertionError: .* not found in .* the value is none of the field\\?'s type",
        {
            "test_decimalfield.DecimalFieldTests": "save_inf_invalid save_nan_invalid",
            "test_integerfield.BigIntegerFieldTests": "invalid_value",
            "test_integerfield.IntegerFieldTests": "invalid_value",
            "test_jsonfield.JSONFieldTests": "invalid_value",
        },
    ),
    Exceptions(
        "the same, where the value is looked for",
        r"AssertionError: .* not found in .* the value is none of the field\\?'s type",
        {"test_uuid.TestSaveLoad": "wrong_value"},
        modes=("deterministic",),
    ),
    Exceptions(
        "what a broken encoder gives is refused before a database could",
        r"ValueError: \S+: the value is none of the field's type \(json\)",
        {"test_jsonfield.JSONFieldTests": "db_check_constraints"},
    ),
    Exceptions(
        "the limits are those of Django's field everywhere, since the column has none: SQLite's are wider",
        r"(ValidationError|AssertionError): .*Ensure this value is greater than or equal to -2147483648\.",
        {"test_integerfield.IntegerFieldTests": "backend_range_save backend_range_validation"},
        databases=("sqlite",),
    ),
    Exceptions(
        "the database cannot compare ciphertext by anything but equality",
        r"FieldError: \S+ is encrypted \(mode \w+\) and cannot be found by lte",
        {"test_integerfield.BigIntegerFieldTests": "backend_range_save"},
        databases=("sqlite",),
    ),
    Exceptions(
        "a value beyond the limits is looked for, as any other",
        r"FieldError: \S+ is encrypted \(mode random\) and cannot be found by exact",
        {
            "test_integerfield.BigIntegerFieldTests": (
                "backend_range_max_value_lookups backend_range_min_value_lookups"
            ),
            "test_integerfield.IntegerFieldTests": (
                "backend_range_max_value_lookups backend_range_min_value_lookups"
            ),
        },
        databases=("sqlite",),
        modes=("random",),
    ),
    Exceptions(
        "a value beyond the limits is looked for, as any other",
        r"AssertionError: 1 != 0 : 1 queries executed, 0 expected",
        {
            "test_integerfield.BigIntegerFieldTests": (
                "backend_range_max_value_lookups backend_range_min_value_lookups"
            ),
            "test_integerfield.IntegerFieldTests": (
                "backend_range_max_value_lookups backend_range_min_value_lookups"
            ),
        },
        databases=("sqlite",),
        modes=("deterministic",),
    ),
    Exceptions(
        "the test asks for the limits of the column, which is text",
        r"KeyError: 'TextField'",
        {
            "test_integerfield.BigIntegerFieldTests": (
                "backend_range_max_value_lookups backend_range_min_value_lookups backend_range_save "
                "backend_range_validation redundant_backend_range_validators"
            ),
            "test_integerfield.IntegerFieldTests": (
                "backend_range_max_value_lookups backend_range_min_value_lookups backend_range_save "
                "backend_range_validation redundant_backend_range_validators"
            ),
        },
        databases=("postgresql",),
    ),
    Exceptions(
        "the test compares a field that is Django's with one that is encrypted, whose column is text",
        r"AssertionError: '(big|)int(eger|)' != 'text'",
        {
            "test_autofield.AutoFieldTests": "rel_db_type",
            "test_autofield.BigAutoFieldTests": "rel_db_type",
            "test_integerfield.PositiveBigIntegerFieldTests": "rel_db_type",
            "test_integerfield.PositiveIntegerFieldTests": "rel_db_type",
        },
    ),
    Exceptions(
        "the fields have names of their own",
        r"AssertionError: '<?reseal\.django\.",
        {
            "test_jsonfield.TestMethods": "deconstruct",
            "tests.BasicFieldTests": "field_repr",
        },
    ),
    # --- of newer versions of Django ----------------------------------------------------------------
    Exceptions(
        "equality is found where values are deterministic, or by a BlindIndexField",
        r"FieldError: \S+ is encrypted \(mode random\) and cannot be found by in ",
        {"test_jsonfield.TestQuerying": "in"},
        modes=("random",),
        since=(6, 1),
    ),
    Exceptions(
        "a document is sealed as a whole: no lookup goes into it, and the database computes nothing with it",
        r"FieldError: (\S+ is encrypted \(mode \w+\) and cannot be "
        r"(found by (?!exact)|looked into by |computed with)|Cannot resolve keyword '\w+' into field\. Join on)",
        {
            "test_decimalfield.DecimalFieldTests": "large_integer_precision_aggregation",
            "test_jsonfield.JSONNullTests": (
                "constraint_validation_key_transform index_lookup key_in key_transform_exact_filter"
            ),
            "test_jsonfield.TestQuerying": (
                "cast_with_key_text_transform deep_negative_lookup_array deep_negative_lookup_mixed "
                "json_type_casting_with_coalesce key_iexact_none numeric_lookups_with_expression "
                "shallow_list_negative_lookup"
            ),
        },
        since=(6, 1),
    ),
    Exceptions(
        "None is NULL; the database cannot seal or compare an expression, also where it is JSON's null",
        r"FieldError: (\S+ is encrypted(,| \(mode \w+\)) and (the database cannot seal what an expression|"
        r"cannot be (found by exact|compared with an expression))|"
        r"what an expression makes of an encrypted field cannot be looked up)",
        {
            "test_jsonfield.JSONExactNoneDeprecationTests": "annotation_q_filter case_when filter",
            "test_jsonfield.JSONNullTests": (
                "bulk_update case_expr_with_jsonnull_condition case_expression_with_jsonnull_then "
                "constraint_validation create filter filter_in save_load update"
            ),
            "test_jsonfield.TestQuerying": "in_json_whitespace",
        },
        since=(6, 1),
    ),
    Exceptions(
        "the same, in tests that not every database has",
        r"FieldError: \S+ is encrypted \(mode \w+\) and cannot be (found by in|compared with an expression)",
        {
            "test_jsonfield.TestQuerying": (
                "in_value_explicit_output_field in_value_without_explicit_output_field"
            ),
        },
        databases=("sqlite",),
        since=(6, 1),
    ),
)
