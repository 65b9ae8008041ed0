"""FlashLab's command: build a submission, have it judged, keep and show the results."""

__version__ = "0.1.0"
