"""The county's 40 indicators: what they are, what suppliers deliver for them, and what our own published counts say beside that.

`indicators.yaml` declares them; `files` reads what a supplier sends, `checking` says what is doubtful about it, `keeping` keeps it with its
history, `own` computes from published figures. Nothing is in here that nobody delivered: a gap stays a gap.
"""
