"""Training as a job's work: in a child process here, or by a task of the queue ``train`` on a worker."""
