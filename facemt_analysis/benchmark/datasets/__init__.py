"""One file per data set: its official layout, read sample by sample."""
