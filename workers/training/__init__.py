"""A training in a child process here, or by a worker.

It never decides what is learnt; ``workers.photographers`` does.

Start with ``local``.

* ``child``: Child process of a training: ``python -m workers.training.child FOLDER THREADS``
* ``local``: Training in a child process, supervised to its end
* ``model_files``: Files that a trained model of each kind consists of, by name; no other file is taken from a worker
* ``pictures``: Photos of a training of the joint model, and their pictures
* ``remote``: Training by a worker: sends photos through the shared place and fetches the model from it
* ``request``: Training request: the folder a training reads, the folder it writes, and the trainer interface
* ``shared_models``: Model registry in the shared place: publishes trained models and fetches the one in use
* ``worker_side``: Training by a worker for another process; ``workers.training.remote`` is the other side
"""
