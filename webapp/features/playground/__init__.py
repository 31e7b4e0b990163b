"""The GraphQL playground of development."""
