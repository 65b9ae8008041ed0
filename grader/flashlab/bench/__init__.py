"""`flashlab bench`: sweeps of kernels over shapes, tile sizes and devices, kept as JSON lines that a kill cannot lose.

`shapes` says what is measured, `tiles` makes variants of a source, `series` measures one kernel, `sdpa` PyTorch's,
`sweep` is the order of events, `journal` the file, `tables` what people see, `command` the command line.
"""
