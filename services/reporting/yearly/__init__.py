"""The yearly report: figures of the year's final release with texts of the office between them, as a page and as a tagged PDF.

`model` and `keeping` hold the texts with everything that was ever said, `document` puts a report together, `pdf` sets it.
"""
