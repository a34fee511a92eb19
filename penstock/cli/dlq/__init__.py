"""Commands for operators: requests that used up their attempts."""
