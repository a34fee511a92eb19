"""What the API's document says of the Baseten dialect and of what is served beyond it."""
