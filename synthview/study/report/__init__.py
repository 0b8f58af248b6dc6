"""From results to a report: cards, plots, methods text, check lists, HTML, PDF and tables."""
