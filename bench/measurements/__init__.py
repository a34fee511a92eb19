"""One module for each measurement; each returns figures with their floors."""
