"""`harness cost`: of planned calls, and of a recorded run."""
