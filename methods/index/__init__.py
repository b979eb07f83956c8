"""Composite indicators: figures become scores, scores become theme scores and an overall one, and what they hang on.

normalise.py, aggregate.py, treat.py, coherence.py and weights.py have one method a function, each equal to the function
of R's COINr 1.1.14 that its docstring names. composite.py puts them to work on a whole framework and over many draws at
once; ranks.py and sensitivity.py say how far ranks move with sampling error and with every choice made.
"""
