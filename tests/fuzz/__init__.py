"""Bad input: what is fed bytes of anybody, and what has to hold for whatever comes."""
