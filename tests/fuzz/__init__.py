"""Fuzzing of every public function and reader: ``make fuzz``, or ``python -m tests.fuzz``.

An input is a target's name and a seed. `targets/` draws the arguments of a call from a seed,
`trial.py` makes the call and judges what came of it, `driver.py` runs many in worker processes.
"""
