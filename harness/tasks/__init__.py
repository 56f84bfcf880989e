"""What is asked of the models: prompts, parsing, validation, repair and grading, one folder a task."""
