"""The coordinator's page: design a study, check its arms, make it."""
