"""Reports: pure functions from results to text, one file per format."""
