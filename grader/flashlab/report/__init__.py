"""The report, made from result files and measurements alone, so equal inputs give equal bytes.

`student` and `classroom` say what is in a report, as a list of `blocks`; `html`, `markdown` and `pdf` write it. Figures
are data (`figure`) until `plots` draws them; `curves`, `sweeps` and `machine` make them.
"""
