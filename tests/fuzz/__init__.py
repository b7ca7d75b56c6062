"""Fuzzing of picture opening: mutated files must be opened or refused in words, in little time and memory.

python -m tests.fuzz --seconds 300        mutate files for five minutes (`make fuzz`)
python -m tests.fuzz --count 1000 --seed 7    the same thousand files each time

originals   the pictures that are mutated
mutations   what is done to them
judging     opens one file and says what came of it; runs in a process of the pixel pool
finds/      files that were opened wrongly once; `tests/unit/imaging/test_fuzz.py` opens them again
"""
