"""The course as a class assignment: hand it out, collect it, grade it. See docs/teaching.md.

The modules can be read in this order: lessons (what the notebooks say about their exercises),
edition (the notebooks without the solutions), submissions (what comes back, put in order),
execution (running code that may do anything), course (the folder in which nbgrader works), worker
(grade one notebook), grade (grade a class), report (what teacher and students get to read).

Only `lessons` and `edition` work with the base installation; the others need nbgrader.
"""
