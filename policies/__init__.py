"""The policy pack. It imports nothing of the program that it guards."""
