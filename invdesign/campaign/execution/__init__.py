"""Where evaluations run: in this process, in worker processes, or on any executor."""
