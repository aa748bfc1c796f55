"""Calling webhooks: in the background, in order for each, and again where a call fails."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import logging
import queue
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import DBAPIError

from .dialects import is_away
from .hooks import listeners, subject_of
from .hub import TeamHub
from .outgoing import ForbiddenAddress, post
from .payloads import SCOPES, payload, scope_of

MOST_EVENTS = 1000
MOST_WAITING = 100  # calls of one webhook
MOST_AT_ONCE = 32
WAITS = (1.0, 4.0)  # seconds before the second and the third try
AWAY = 1.0  # seconds until a database is asked again that did not answer
GRACE = 5.0  # seconds for calls under way once the hub stops
log = logging.getLogger("hubtl.server")


@dataclass(frozen=True, slots=True)
class Delivery:
    """One call to be made; its URL and its secret are nobody's business but its owner's."""

    hook: str
    url: str
    body: bytes
    secret: str | None

    @property
    def headers(self) -> dict[str, str]:
        """The headers by which the receiver knows that it is this hub."""
        said = {"Content-Type": "application/json", "User-Agent": "hubtl"}
        if self.secret:
            signed = hmac.new(self.secret.encode(), self.body, hashlib.sha256).hexdigest()
            said["X-Webhook-Secret"] = self.secret
            said["X-Hub-Signature-256"] = f"sha256={signed}"
        return said


class Calling:
    """The webhooks of one hub; threads are started when there is something to call."""

    def __init__(self, hub: TeamHub) -> None:
        self.hub = hub
        self._heard: queue.Queue[dict[str, Any] | None] = queue.Queue(MOST_EVENTS)
        self._turn = threading.Lock()
        self._places = threading.Semaphore(MOST_AT_ONCE)
        self._stopping = threading.Event()
        self._finder: threading.Thread | None = None
        self._waiting: dict[str, deque[Delivery]] = {}
        self._callers: set[threading.Thread] = set()

    def hear(self, event: dict[str, Any]) -> None:
        """Take an event; what is to be done about it is done later."""
        if event["kind"] not in SCOPES or self._stopping.is_set():
            return
        try:
            self._heard.put_nowait(event)
        except queue.Full:
            log.warning("too many changes at once: webhooks are not told of one")
        with self._turn:
            if self._finder is None:
                self._finder = threading.Thread(target=self._find, daemon=True)
                self._finder.start()

    def close(self) -> None:
        """Make the calls that wait, without trying again, for as long as GRACE says."""
        deadline = time.monotonic() + GRACE
        self._stopping.set()
        if self._finder is None:
            return
        with contextlib.suppress(queue.Full):
            self._heard.put(None, timeout=GRACE)
        self._finder.join(max(0.0, deadline - time.monotonic()))
        with self._turn:
            callers = list(self._callers)
        for caller in callers:
            caller.join(max(0.0, deadline - time.monotonic()))
        if any(caller.is_alive() for caller in callers):
            log.warning("the hub stopped before all webhooks were called")

    def _find(self) -> None:
        while (event := self._heard.get()) is not None:
            try:
                for each in self._once_found(event):
                    self._line_up(each)
            except Exception as error:  # of one event; the next one may be told
                trace = None if is_away(error) else error
                log.error("webhooks could not be told of a change", exc_info=trace)

    def _once_found(self, event: dict[str, Any]) -> list[Delivery]:
        """Return the calls to make, however long the database is away before it tells them."""
        while True:
            try:
                return self._deliveries(event)
            except DBAPIError as error:
                if not is_away(error) or self._stopping.wait(AWAY):
                    raise

    def _deliveries(self, event: dict[str, Any]) -> list[Delivery]:
        with self.hub.database.reading() as db:
            subject = subject_of(db, event)
            if subject is None:
                return []
            domain = scope_of(event).partition(".")[0]
            found = []
            for hook in listeners(db, subject, domain):
                body = json.dumps(payload(db, event, subject, hook)).encode()
                found.append(Delivery(hook.key, hook.url, body, hook.secret))
        return found

    def _line_up(self, delivery: Delivery) -> None:
        with self._turn:
            waiting = self._waiting.get(delivery.hook)
            if waiting is None:
                waiting = self._waiting[delivery.hook] = deque()
                caller = threading.Thread(target=self._call, args=(delivery.hook,), daemon=True)
                self._callers.add(caller)
                caller.start()
            if len(waiting) < MOST_WAITING:
                waiting.append(delivery)
                return
        log.warning("webhook %s is too slow: it is not told of a change", delivery.hook)

    def _call(self, hook: str) -> None:
        """Make the calls of one webhook, one after another, until none is left."""
        while True:
            with self._turn:
                if not self._waiting[hook]:
                    del self._waiting[hook]
                    self._callers.discard(threading.current_thread())
                    return
                delivery = self._waiting[hook].popleft()
            self._deliver(delivery)

    def _deliver(self, delivery: Delivery) -> None:
        for wait in (*WAITS, 0.0):
            outcome, final = self._try(delivery)
            if final:
                break
            if not wait or self._stopping.wait(wait):
                break
        if outcome:
            log.warning("webhook %s was not told of a change: %s", delivery.hook, outcome)

    def _try(self, delivery: Delivery) -> tuple[str, bool]:
        """Return what went wrong, empty where nothing did; and whether that is final."""
        try:
            with self._places:
                status = post(
                    delivery.url, delivery.body, delivery.headers, self.hub.policy.webhook_hosts
                )
        except ForbiddenAddress as error:
            return str(error), True
        except (OSError, ValueError) as error:
            return type(error).__name__, False
        return ("" if status < 300 else f"status {status}"), status < 500 and status not in (
            408,
            429,
        )
