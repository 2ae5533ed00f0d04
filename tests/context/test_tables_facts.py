from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctxchat.context.tables.facts import facts_for
from ctxchat.context.tables.read import read_table

ORDERS = """orderId,city,status,unitPrice,quantity,ordered_at,active,note
A-1,Berlin,shipped,"$1,000.10",1,2024-01-05,true,fine
A-2,Berlin,cancelled,$0.20,2,2024-02-06,false,late
A-3,New York,open,$10.00,3,2024-02-07,true,
A-4,Rome,shipped,$30.00,4,2023-12-31,true,Berlin
A-5,New York,shipped,,5,2023-11-30,false,
"""
TABLE = read_table(ORDERS, "orders.csv")


def lines(question: str) -> list[str]:
    return [fact.line for fact in facts_for(TABLE, question)[0]]


@pytest.mark.parametrize(
    ("question", "line"),
    [
        ("How many orders were cancelled?", "count of rows where status = cancelled: 1 of 5"),
        ("how many orders are not shipped", "count of rows where status ≠ shipped: 2 of 5"),
        ("What is the sum of unit prices?", "sum of unitPrice: $1040.3 (over 4 of 5 rows; 1 more have none)"),
        ("average price", "mean of unitPrice: $260.075 (over 4 of 5 rows; 1 more have none)"),
        (
            "average unit_price in New York?",
            "mean of unitPrice where city = New York: $10 (over 1 of 5 rows; 1 more have none)",
        ),
        (
            "mean quantity of shipped",
            "mean of quantity where status = shipped: 3.3333 (rounded, over 3 of 5 rows)",
        ),
        ("What's the median quantity?", "median of quantity: 3 (over all 5 rows)"),
        ("most expensive order", "max of unitPrice: $1,000.10 (over 4 of 5 rows; 1 more have none)"),
        ("cheapest order", "min of unitPrice: $0.20 (over 4 of 5 rows; 1 more have none)"),
        ("What is the latest order?", "latest ordered_at: 2024-02-07 (over all 5 rows)"),
        ("How many different cities?", "distinct values of city: 3 (over all 5 rows)"),
        ("How many active orders?", "count of rows by active: true: 3; false: 2 (over all 5 rows)"),
        ("how many orders with quantity over 2?", "count of rows where quantity > 2: 3 of 5"),
        ("how many orders with quantity>=4", "count of rows where quantity ≥ 4: 2 of 5"),
        (
            "how many with quantity between 2 and 3",
            "count of rows where quantity ≥ 2 and quantity ≤ 3: 2 of 5",
        ),
        ("how many orders in 2023", "count of rows where ordered_at in 2023: 2 of 5"),
        ("how many orders in February 2024", "count of rows where ordered_at in 2024-02: 2 of 5"),
        ("how many orders since 2024-02-06?", "count of rows where ordered_at ≥ 2024-02-06: 2 of 5"),
        ("How many in Berlin or Rome?", "count of rows where city = Berlin or Rome: 3 of 5"),
        ("How many in Berlin or Rome?", "count of rows where city = Rome: 1 of 5"),
        ("total quantity in Berlin", "sum of quantity where city = Berlin: 3 (over 2 of 5 rows)"),
        ("total quantity in Berlin", "sum of quantity where note = Berlin: 4 (over 1 of 5 rows)"),
        ("How many orders are there?", "count of all rows: 5"),
        ("the 2 largest quantities", "2 highest quantity: 5; 4 (over all 5 rows)"),
        ("orders for more than $9", "count of rows where unitPrice > 9: 3 of 5"),
    ],
)
def test_what_is_asked_is_computed_and_told(question: str, line: str) -> None:
    assert line in lines(question)


@pytest.mark.parametrize(
    ("question", "what", "order", "groups"),
    [
        (
            "total quantity per city",
            "sum of quantity by city",
            "highest first, 3 of 3 groups, over all 5 rows",
            "New York: 8; Rome: 4; Berlin: 3",
        ),
        (
            "Which city has the lowest average quantity?",
            "mean of quantity by city",
            "lowest first, 3 of 3 groups, over all 5 rows",
            "Berlin: 1.5; New York: 4; Rome: 4",
        ),
        (
            "which status has the most orders",
            "count of rows by status",
            "highest first, 3 of 3 groups, over all 5 rows",
            "shipped: 3; cancelled: 1; open: 1",
        ),
        (
            "highest price by city",
            "max of unitPrice by city",
            "highest first, 3 of 3 groups, over 4 of 5 rows",
            "Berlin: $1000.1; Rome: $30; New York: $10",
        ),
        (
            "median of the quantities by active",
            "median of quantity by active",
            "highest first, 2 of 2 groups, over all 5 rows",
            "false: 3.5; true: 3",
        ),
    ],
)
def test_groups_are_computed_and_ranked(question: str, what: str, order: str, groups: str) -> None:
    assert f"{what} ({order}): {groups}" in lines(question)


def test_a_word_of_an_identifier_does_not_mean_its_numbers() -> None:
    table = read_table('Employee ID,Annual Salary,Age\n1,"$5,000",60\n2,"$7,000",30\n', "a.csv")
    asked = ("average salary of employees", "employees who earn more than $6,000", "the oldest employee")
    found = [fact.line for question in asked for fact in facts_for(table, question)[0]]
    assert not [line for line in found if "ID" in line]
    assert "mean of Annual Salary: $6000 (over all 2 rows)" in found
    assert "count of rows where Annual Salary > 6000: 1 of 2" in found
    assert "max of Age: 60 (over all 2 rows)" in found


@pytest.mark.parametrize("question", ["Hello there!", "Tell me something about it", "", "no", "in a and of"])
def test_a_question_that_asks_for_nothing_gets_no_facts(question: str) -> None:
    assert lines(question) == []


def test_a_comparison_is_not_taken_for_its_number() -> None:
    assert not any("quantity = 2" in line for line in lines("how many orders with quantity > 2"))


def test_a_condition_no_row_meets_is_told() -> None:
    assert "count of rows where city = Rome and status = cancelled: 0 of 5" in lines(
        "how many cancelled in Rome"
    )


@given(st.lists(st.decimals(-(10**9), 10**9, allow_nan=False, places=3), min_size=1, max_size=30))
def test_sums_are_exact(numbers: list[Decimal]) -> None:
    table = read_table("kind,amount\n" + "".join(f"x,{number:f}\n" for number in numbers), "a.csv")
    (line,) = (fact.line for fact in facts_for(table, "sum of amount")[0])
    told = line.removeprefix("sum of amount: ").split(" (")[0]
    assert Decimal(told) == sum(numbers)
    assert "E" not in told


def test_float_artefacts_do_not_appear() -> None:
    table = read_table("x,y\n" + "0.1,a\n" * 3, "a.csv")
    assert facts_for(table, "total x")[0][0].line == "sum of x: 0.3 (over all 3 rows)"


def test_a_value_stays_on_its_line() -> None:
    table = read_table('place,x\n"New\nYork",1\nRome,2\n', "a.csv")
    assert (
        facts_for(table, "how many in New York")[0][0].line == "count of rows where place = New York: 1 of 2"
    )


def test_a_long_question_is_read_in_bounded_time() -> None:
    facts, _ = facts_for(TABLE, "Berlin Rome New York " * 5_000)
    assert facts


def test_a_comparison_that_fits_no_column_leaves_the_other_conditions() -> None:
    table = read_table("city,name\nRome,a\nParis,b\n", "a.csv")
    assert [fact.line for fact in facts_for(table, "how many over 100 in Rome?")[0]] == [
        "count of rows where city = Rome: 1 of 2"
    ]
