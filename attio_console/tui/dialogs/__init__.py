"""Questions asked over the screen."""
