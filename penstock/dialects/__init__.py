"""How clients speak to the core: a call is read into a submission, a row rendered as an answer."""
