"""Disclosure control: what makes a count one that anyone may have and nobody can be found in.

The cell key method (CKM), as Destatis and Eurostat use it for the census: each count is changed by a random amount, small, bounded, right
on average, that depends on nothing but who is counted in the cell. So the same people give the same figure wherever they appear.
"""
