import pytest

from penstock.autoscaling.formula import Formula
from penstock.contracts.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("-(p0 - 10) / 4", 2),
        ("ceil((p0 + p1) / 0.7)", 8),
        ("floor(p0 / 4)", 0),
        ("max(ceil(p0 / 2), p1, 0)", 3),
        ("min(p0)", 2),
    ],
)
def test_a_formula_is_evaluated_as_in_expr(text: str, value: float) -> None:
    assert Formula.parse(text).value({"p0": 2, "p1": 3}) == value


def test_a_formula_knows_the_triggers_it_needs() -> None:
    assert Formula.parse("max(ceil((p0 + p1) / 2), warm)").names == {"p0", "p1", "warm"}


@pytest.mark.parametrize(
    "text",
    [
        "p0 +",
        "p0 ?? 0",
        "p0 > 1 ? 1 : 0",
        "p0 ** 2",
        "p0 // 2",
        "p0.real",
        "True",
        "'p0'",
        "ceil(p0, p1)",
        "max()",
        "max(*p0)",
        "max(p0, key=p1)",
        "sum(p0, p1)",
        "__import__('os')",
    ],
)
def test_what_python_and_expr_do_not_share_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="formula"):
        Formula.parse(text)


def test_a_division_by_zero_names_the_formula() -> None:
    with pytest.raises(SettingsError, match="'1 / p0' divides by zero"):
        Formula.parse("1 / p0").value({"p0": 0})
