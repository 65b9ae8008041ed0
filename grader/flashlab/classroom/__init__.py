"""`flashlab class`: grades the submissions of a whole class and keeps the results in one folder."""
