"""The GraphQL door."""

PATH = "/graphql"
