"""Who acts in the simulation: offices, counsellors, people in their later lives, and partners. All of them come through the doors.

Each has `act(today)`, which does everything that is due by then and says how much that was. What they decide follows from the seed and from
ids that follow from it, never from the order or the speed in which things happen.
"""
