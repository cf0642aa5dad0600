"""The engine: pull, inbox, outbox, pairing, merge application, verification, supervision."""
