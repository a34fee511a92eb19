"""The nodes that workers run on, from none to as many as there is work for."""
