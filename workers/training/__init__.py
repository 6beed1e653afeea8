"""Running of trainings: in a child process, or by a task of the queue ``train`` on a worker.

What is trained is in ``workers.photographers``. Start reading at ``request``.
"""
