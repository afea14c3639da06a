"""A directory that exists already, read in from a file: Excel, CSV as spreadsheets save it, or JSON in the terms of HSDS 3.

Good rows go in, each bad one is listed with its line, its column, what is wrong and what to do. Codes, and so ids, follow from the file,
so that sending it again changes nothing. What the file says of a partner or service takes the place of its entry; agreements are never in
it, and what it does not name stays.
"""
