"""Child processes: started, ended with their parent, listened to; servers and embedded runs."""
