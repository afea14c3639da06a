"""What people see of the releases: pictures, each with a sentence and a table that say the same.

`exhibits` says what is shown, `telling` turns published figures into rows and sentences, `pictures` and `maps` describe what is drawn,
`published` reads releases and keeps what was drawn. No true count comes in here: all of it is read from published files.
"""
