"""One process that starts everything Marea consists of, restarts what dies and stops it all."""
