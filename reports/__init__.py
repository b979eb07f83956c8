"""Frames become pages, documents, spreadsheets and pictures."""
