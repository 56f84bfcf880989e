"""Result files of other tools as runs of their own; one file a format in `formats`."""
