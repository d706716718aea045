"""From media to a Fex: decoding, face detectors, tracks, chips and the Detector."""
