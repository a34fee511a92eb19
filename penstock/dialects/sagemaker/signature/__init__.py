"""AWS Signature Version 4, as far as a receiver of signed calls goes."""
