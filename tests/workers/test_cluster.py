"""What a coordinator does about each way in which a batch may end, over a broker that is played."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

import pytest
from billiard.exceptions import SoftTimeLimitExceeded, WorkerLostError
from qdrant_client import QdrantClient

from search.errors import BrokerUnavailableError, DiskFullError, ModelError, StoreUnavailableError
from search.media import Kind, media_id
from search.model_descriptions.model_choice import ModelChoice
from search.settings import Settings
from search.store.server.store import ServerStore
from workers.batch.report import Batch, BatchReport, FileRef, Outcome, Status
from workers.cluster.runner import CeleryRunner
from workers.cluster.serialization import BatchOrder
from workers.cluster.task_queue import TaskResult

CHOICE = ModelChoice("quick", "frames_quick", "quick")


def batch(name: str = "1-1", files: int = 8, job: str = "1") -> Batch:
    return Batch(
        name, job, Kind.IMAGE, tuple(FileRef(f"/m/{name}/{at}", "m", 1, 1.0, "00" * 32) for at in range(files))
    )


def done(order: BatchOrder) -> BatchReport:
    return BatchReport(
        order.batch.id,
        tuple(Outcome(file.path, Status.EMBEDDED, media_id(file.sha256), Kind.IMAGE) for file in order.batch.files),
    )


Answer = BatchReport | BaseException | None


@dataclass
class FakeTaskQueue:
    """A broker and its workers.

    Attributes:
        play: called with every order that is sent and how many processes died with it before; what it returns is how
            the task ends, a string is where it stays: ``queue``, ``worker`` or ``nowhere`` (``begun`` before it was).
        away: how many calls more fail as if the broker could not be reached.
        deaf: no worker listens to these queues.
    """

    play: Callable[[BatchOrder, int], Answer | str] = lambda order, deaths: done(order)
    away: int = 0
    sent: list[tuple[str, BatchOrder]] = field(default_factory=list)
    ended: dict[str, TaskResult] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    most: int = 0
    orphans: set[str] = field(default_factory=set)
    deaf: list[str] = field(default_factory=list)

    def _reach(self) -> None:
        if self.away:
            self.away -= 1
            raise BrokerUnavailableError("The broker is away.")

    def new_task(self, job: str) -> str:
        return f"{job}:{len(self.sent)}"

    def send(self, task: str, order: BatchOrder, *, deaths: int) -> None:
        self._reach()
        self.sent.append((task, order))
        answer = self.play(order, deaths)
        if isinstance(answer, str):
            self.places[task] = answer
        else:
            self.end(task, answer)
        self.most = max(self.most, len(self.places) + len(self.ended))

    def end(self, task: str, answer: Answer) -> None:
        self.places.pop(task, None)
        report = isinstance(answer, BatchReport)
        self.ended[task] = TaskResult(task, answer, None) if report else TaskResult(task, None, answer)

    def results(self, tasks: Collection[str]) -> list[TaskResult]:
        self._reach()
        return [self.ended[task] for task in tasks if task in self.ended]

    def has_started(self, task: str) -> bool:
        return self.places.get(task) == "begun"

    def find(self, tasks: Collection[str]) -> set[str]:
        self._reach()
        return {task for task in tasks if self.places.get(task) in ("queue", "worker")}

    def without_listener(self, kinds: Collection[Kind]) -> list[str]:
        return self.deaf

    def withdraw(self, tasks: Collection[str]) -> set[str]:
        taken = {task for task in tasks if self.places.get(task) == "queue"}
        for task in taken:
            del self.places[task]
        return taken

    def withdraw_orphans(self, job: str, own: Collection[str]) -> set[str]:
        taken, self.orphans = self.orphans, set()
        return taken

    def forget(self, tasks: Collection[str]) -> None:
        for task in tasks:
            self.ended.pop(task, None)


@pytest.fixture
def run(
    make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Iterator[BatchReport]]:
    """Runs batches over a played broker, with times made short."""
    monkeypatch.setattr("workers.cluster.backoff.FIRST_WAIT", 0.01)

    def make(queue: FakeTaskQueue, batches: Sequence[Batch], **options: float) -> Iterator[BatchReport]:
        monkeypatch.setattr("workers.cluster.runner.TaskQueue", lambda settings, app: queue)
        settings = make_settings(in_flight=3, task_seconds=5.0)
        store = ServerStore(QdrantClient(":memory:"))
        runner = CeleryRunner(settings, None, store, CHOICE, **{"check_seconds": 0.05, "retry_seconds": 30.0} | options)
        return runner.run(batches)

    return make


def paths(report: BatchReport) -> list[str]:
    return [outcome.path for outcome in report.outcomes]


def failed(report: BatchReport) -> dict[str, str]:
    return {outcome.path: outcome.code for outcome in report.outcomes if outcome.status is Status.FAILED}


def test_every_batch_is_reported_and_few_are_in_flight(run: Callable[..., Iterator[BatchReport]]) -> None:
    queue = FakeTaskQueue()
    batches = [batch(f"1-{number}") for number in range(20)]
    reports = {report.batch: report for report in run(queue, batches)}
    assert {name: paths(report) for name, report in reports.items()} == {
        given.id: [file.path for file in given.files] for given in batches
    }
    assert len(queue.sent) == 20
    assert queue.most == 3
    assert queue.ended == queue.places == {}


@pytest.mark.parametrize(
    ("error", "code"), [(WorkerLostError("signal 9"), "decoder_crash"), (SoftTimeLimitExceeded(5.0), "timeout")]
)
@pytest.mark.parametrize("guilty", [{0}, {7}, {2, 3}, set(range(8))])
def test_a_batch_is_cut_until_the_guilty_stand_alone(
    run: Callable[..., Iterator[BatchReport]], error: Exception, code: str, guilty: set[int]
) -> None:
    culprits = {f"/m/1-1/{at}" for at in guilty}

    def play(order: BatchOrder, deaths: int) -> Answer:
        return error if culprits.intersection(file.path for file in order.batch.files) else done(order)

    (report,) = run(FakeTaskQueue(play), [batch()])
    assert failed(report) == dict.fromkeys(culprits, code)
    assert paths(report) == [f"/m/1-1/{at}" for at in range(8)]
    assert report.batch == "1-1"


def test_halves_are_given_one_try_and_single_files_two(run: Callable[..., Iterator[BatchReport]]) -> None:
    tries: dict[int, set[int]] = {}

    def play(order: BatchOrder, deaths: int) -> Answer:
        tries.setdefault(len(order.batch.files), set()).add(deaths)
        return WorkerLostError()

    list(run(FakeTaskQueue(play), [batch()]))
    assert tries == {8: {0}, 4: {1}, 2: {1}, 1: {0}}


def test_what_is_nowhere_is_sent_again(run: Callable[..., Iterator[BatchReport]]) -> None:
    answers: list[Answer | str] = ["nowhere", "nowhere", "nowhere"]
    queue = FakeTaskQueue(lambda order, _: answers.pop() if answers else done(order))
    (report,) = run(queue, [batch()])
    assert failed(report) == {}
    assert len(queue.sent) == 4


def test_what_vanishes_with_its_worker_twice_is_cut(run: Callable[..., Iterator[BatchReport]]) -> None:
    def play(order: BatchOrder, deaths: int) -> Answer | str:
        return "begun" if any(file.path.endswith("/5") for file in order.batch.files) else done(order)

    (report,) = run(FakeTaskQueue(play), [batch()])
    assert failed(report) == {"/m/1-1/5": "decoder_crash"}


def test_what_waits_or_is_worked_on_is_left_alone(run: Callable[..., Iterator[BatchReport]]) -> None:
    queue = FakeTaskQueue(lambda order, _: "queue" if order.batch.id == "1-1" else "worker")
    looks = 0
    find = queue.find

    def find_and_end(tasks: Collection[str]) -> set[str]:
        nonlocal looks
        looks += 1
        found = find(tasks)
        if looks == 5:
            for task, order in queue.sent:
                queue.end(task, done(order))
        return found

    queue.find = find_and_end  # type: ignore[method-assign]
    assert len(list(run(queue, [batch("1-1"), batch("1-2")]))) == 2
    assert len(queue.sent) == 2


def test_the_first_report_of_a_batch_counts_however_late(run: Callable[..., Iterator[BatchReport]]) -> None:
    """A worker that was taken for dead reports after its batch has been sent again."""
    queue = FakeTaskQueue()

    def play(order: BatchOrder, deaths: int) -> Answer | str:
        if len(queue.sent) == 2:
            queue.end(queue.sent[0][0], done(queue.sent[0][1]))
            return "queue"
        return "nowhere"

    queue.play = play
    (report,) = run(queue, [batch()])
    assert failed(report) == {}
    assert queue.places == queue.ended == {}, "the second one is taken back"


def test_a_worker_may_answer_for_some_of_the_files(run: Callable[..., Iterator[BatchReport]]) -> None:
    def play(order: BatchOrder, deaths: int) -> Answer:
        report = done(order)
        return BatchReport(report.batch, report.outcomes[:3], {"decode": 1.0})

    (report,) = run(FakeTaskQueue(play), [batch()])
    assert paths(report) == [f"/m/1-1/{at}" for at in range(8)]
    assert report.stages == {"decode": 3.0}


def test_a_revoked_task_is_sent_again(run: Callable[..., Iterator[BatchReport]]) -> None:
    answers: list[Answer] = [None]
    queue = FakeTaskQueue(lambda order, _: answers.pop() if answers else done(order))
    assert len(list(run(queue, [batch()]))) == 1
    assert len(queue.sent) == 2


def test_what_may_come_back_is_waited_for(run: Callable[..., Iterator[BatchReport]]) -> None:
    answers: list[Answer] = [StoreUnavailableError("away")] * 4
    queue = FakeTaskQueue(lambda order, _: answers.pop() if answers else done(order), away=5)
    (report,) = run(queue, [batch()])
    assert failed(report) == {}
    assert len(queue.sent) == 5


def test_what_does_not_come_back_ends_the_run(run: Callable[..., Iterator[BatchReport]]) -> None:
    with pytest.raises(BrokerUnavailableError):
        list(run(FakeTaskQueue(away=10_000), [batch()], retry_seconds=0.1))
    with pytest.raises(StoreUnavailableError):
        list(run(FakeTaskQueue(lambda *_: StoreUnavailableError("away")), [batch()], retry_seconds=0.1))


@pytest.mark.parametrize("error", [ModelError("no weights"), DiskFullError("full"), ZeroDivisionError("a bug")])
def test_what_stops_every_file_is_raised_and_nothing_is_left_waiting(
    run: Callable[..., Iterator[BatchReport]], error: Exception
) -> None:
    queue = FakeTaskQueue(lambda order, _: error if order.batch.id == "1-2" else "queue")
    with pytest.raises(type(error), match=str(error)):
        list(run(queue, [batch("1-1"), batch("1-2"), batch("1-3")]))
    assert queue.places == queue.ended == {}


def test_what_an_earlier_coordinator_left_is_taken_back_first(run: Callable[..., Iterator[BatchReport]]) -> None:
    queue = FakeTaskQueue(orphans={"1:left"})
    list(run(queue, [batch()]))
    assert queue.orphans == set()


class Stoppable(list[Batch]):
    stopped = False

    def __init__(self, batches: Sequence[Batch]) -> None:
        super().__init__(batches)
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)


def test_a_job_says_that_no_worker_listens_until_one_does(run: Callable[..., Iterator[BatchReport]]) -> None:
    source = Stoppable([batch()])
    queue = FakeTaskQueue(lambda order, deaths: "queue", deaf=["embed.images"])
    looked = queue.without_listener

    def worker_comes_at_the_second_look(kinds: Collection[Kind]) -> list[str]:
        if len(source.said) == 1:
            queue.end(queue.sent[0][0], done(queue.sent[0][1]))
        return looked(kinds)

    queue.without_listener = worker_comes_at_the_second_look  # type: ignore[method-assign]
    assert len(list(run(queue, source))) == 1
    assert [bool(said) for said in source.said] == [True, False]
    assert "embed.images" in source.said[0]


def test_a_job_says_that_the_broker_is_away_until_it_is_back(run: Callable[..., Iterator[BatchReport]]) -> None:
    source = Stoppable([batch()])
    assert len(list(run(FakeTaskQueue(away=2), source))) == 1
    assert source.said[0].startswith("The broker is away.")
    assert source.said[-1] == ""


def test_a_stopped_job_waits_for_what_is_begun_and_gives_back_the_rest(
    run: Callable[..., Iterator[BatchReport]],
) -> None:
    source = Stoppable([batch("1-1"), batch("1-2"), batch("1-3"), batch("1-4")])

    def play(order: BatchOrder, deaths: int) -> Answer | str:
        if order.batch.id == "1-1":
            source.stopped = True
            return "worker"
        return "queue"

    queue = FakeTaskQueue(play)
    find = queue.find

    def find_and_end(tasks: Collection[str]) -> set[str]:
        found = find(tasks)
        queue.end(queue.sent[0][0], done(queue.sent[0][1]))
        return found

    queue.find = find_and_end  # type: ignore[method-assign]
    reports = list(run(queue, source))
    assert [report.batch for report in reports] == ["1-1"]
    assert queue.places == queue.ended == {}
    assert len(queue.sent) == 3


def test_a_stopped_job_does_not_wait_for_a_broker_that_is_away(run: Callable[..., Iterator[BatchReport]]) -> None:
    source = Stoppable([batch()])

    def play(order: BatchOrder, deaths: int) -> str:
        source.stopped, queue.away = True, 10_000
        return "queue"

    queue = FakeTaskQueue(play)
    assert list(run(queue, source)) == []
