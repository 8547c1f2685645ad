"""What is wrong with a model repository, before it is a release: read once, judged by rules, then asked.

inspecting.py   a script of the serving environment: Triton's schema and the ONNX files, read as JSON
model.py        what it read, and what a problem is
rules.py        one model by itself
ensembles.py    whether the steps of an ensemble fit each other
memory.py       whether the models fit an accelerator
serving.py      what the real server says, and whether it gives the golden answers
"""
