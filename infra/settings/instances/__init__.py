"""Which machines there are, what they cost, and which of them an instance name means."""
