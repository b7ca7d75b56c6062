"""The photo-cleaning bot. Start reading at `wiring.py`: it builds the whole program and is the table of contents."""

import os

__version__ = "0.1.0"

# ONNX Runtime's packages for Linux write an id of the machine into the home folder and send usage data to Microsoft
# unless this is set before their import (microsoft/onnxruntime#27379). Every process of the bot imports this first.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# NumPy's products of matrices are small here: shared among threads they take a third more processor time, and longer
# by the clock. Read when NumPy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
