"""The DataCrunch dialect: containers of Verda, formerly DataCrunch, called with `Prefer`."""
