"""What an operator can do, one verb each; the only thing the two faces call."""
