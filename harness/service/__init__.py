"""The HTTP service that answers with the pipeline."""
