"""One prover a file; each answers with what it shows, or None where it shows nothing."""
