"""What the Hub's client raises, turned into what a user can act on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from json import JSONDecodeError

from ...registry.errors import HubtlError, Refused, UnknownName, Unreachable, unknown
from .hf_delivery import overtaken
from .hf_patience import wait_asked_by

LOG_IN = "`hf auth login`"


@contextlib.contextmanager
def told(
    endpoint: str, model: str, revision: str | None, noun: str, forbidden: str
) -> Iterator[None]:
    """Raise the HubtlError for whatever the client of a hub raises.

    Where something is written, `forbidden` says what one can do who may not.
    """
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        raise Refused(
            f"`{model}` is gated", f"accept its terms at {endpoint}/{model}, then try again"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise UnknownName(
            f"`{model}` has no revision `{revision}` on {endpoint}",
            f"`{model}@main` is what it has now",
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise UnknownName(
            f"there is no {noun} `{model}` on {endpoint}, or you may not see it",
            "`hf auth login` gives access to private ones",
        ) from error
    except errors.HFValidationError as error:
        raise unknown(f"{noun} id", model, (), "an id is ORG/NAME") from error
    except errors.OfflineModeIsEnabled as error:
        raise Unreachable(
            f"{endpoint} can't be asked for `{model}`: HF_HUB_OFFLINE is set",
            "unset HF_HUB_OFFLINE, or use --hub starter or --hub folder:PATH",
        ) from error
    except errors.HfHubHTTPError as error:
        raise _refusal(endpoint, model, error, forbidden) from error
    except Exception as error:
        if not _is_network(error):
            raise
        raise Unreachable(
            f"{endpoint} can't be reached",
            "check the network, or use --hub starter or --hub folder:PATH",
        ) from error


def _refusal(endpoint: str, model: str, error: Exception, forbidden: str) -> HubtlError:
    response = getattr(error, "response", None)
    status = response.status_code if response is not None else "no answer"
    if status == 401:
        return Refused(f"{endpoint} does not accept your token", LOG_IN)
    if status == 403 and forbidden:
        owner = model.partition("/")[0]
        return Refused(f"you may not write to `{owner}` on {endpoint}", forbidden)
    if status == 412:
        return overtaken(model)
    said = getattr(error, "server_message", None) or str(error).splitlines()[0]
    wait = wait_asked_by(response.headers) if response is not None else 0
    return Unreachable(
        f"{endpoint} refused `{model}`: {status}, {said}",
        f"try again in {wait} s" if wait else "try again later",
    )


def _is_network(error: Exception) -> bool:
    """Return whether it is the network that failed, in any of the libraries below the client."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    if isinstance(error, HubtlError):
        return False
    # The client's HTTP library raises its own; which one has changed between versions. hf_xet, that
    # carries large files, raises Python's, or RuntimeError where a file does not come back.
    http = any(kind.__module__.startswith("http") for kind in type(error).__mro__)
    xet = isinstance(error, RuntimeError) and "CAS Client Error" in str(error)
    others = (ConnectionError, TimeoutError, LocalEntryNotFoundError, JSONDecodeError)
    return http or xet or isinstance(error, others)
