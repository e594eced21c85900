"""The course as a class assignment: hand it out, collect it, grade it. See docs/teaching.md.

The modules can be read in this order: lessons (what the notebooks say about their exercises),
files (written whole or not at all), edition (the notebooks without the solutions), platforms (who
handed a file in), roster (tables that a teacher fills in), repair (a notebook of any format, made
readable), submissions (what comes back, put in order), crossing (what passes between a student's
process and the grader), inside and runner (the student's side: in the kernel, and around it),
sandbox (what both stand in), judging (the grader's side: a check), processes (a function in a
process of its own), execution (runner and judge together), pages (what students wrote, made
harmless), course (the folder in which nbgrader works), worker (grade one notebook), cluster (run
notebooks on other machines), tables, marks, mistakes and similar (parts of what is reported),
report (what teacher and students get to read), grade (grade a class).

From `platforms` on they need the extra `class`, and `cluster` the extra of its name; those before
work with the base installation.
"""
