"""Whether an installation is ready for production, answered by looking."""
