"""The GraphQL playground in the states that developers meet it in."""

from playwright.sync_api import expect

from tests.browser.kit import Visitor
from tests.browser.states import Sites, long_address, state


@state
def playground(visitor: Visitor, sites: Sites) -> None:
    visitor.open("/graphql")
    visitor.sees("GraphQL")


@state
def playground_answered(visitor: Visitor, sites: Sites) -> None:
    visitor.open("/graphql")
    visitor.page.get_by_role("button", name="register", exact=True).click()
    variables = visitor.field(r"Variables \(JSON\)")
    variables.fill(variables.input_value().replace("alice@example.com", long_address()))
    visitor.press("Run")
    expect(visitor.page.get_by_role("status")).to_contain_text("200")


@state
def playground_with_an_error(visitor: Visitor, sites: Sites) -> None:
    visitor.open("/graphql")
    visitor.field(r"Variables \(JSON\)").fill("{")
    visitor.press("Run")
    expect(visitor.page.get_by_role("status")).to_contain_text("not JSON")
