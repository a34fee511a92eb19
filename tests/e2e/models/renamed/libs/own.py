HELLO = "from libs"
