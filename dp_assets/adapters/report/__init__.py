"""The pipeline's report: collected with SQL, rendered as HTML, Markdown and JSON."""
