"""A small Hugging Face Hub for tests: models only, in memory, real HTTP, for the stock client."""

import base64
import json
import re
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from .small_repo import Files, ProblemError, Repo, entry, git_id, read_card

ONLY_IF_FULL = {"author", "sha", "lastModified", "gated", "disabled", "siblings"}
STALE = "The branch was updated since you opened this page. Please refresh and try again."


class SmallHub:
    """The hub: `with SmallHub() as hub:` serves at `hub.url`; look into `repos` and `requests`."""

    def __init__(
        self, token: str = "hf_test", user: str = "ana", organisations: tuple[str, ...] = ("acme",)
    ) -> None:
        self.token, self.user, self.organisations = token, user, organisations
        self.repos: dict[str, Repo] = {}
        self.requests: list[tuple[str, str]] = []  # method and path, without the query
        self.before_download: Callable[[str, str, bytes], bytes] | None = None
        self.lock, self.connections = threading.RLock(), set[socket.socket]()
        handler = type("BoundHandler", (Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.socket.listen(64)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        for connection in list(self.connections):  # else clients would be served on
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def add(self, repo_id: str, files: Files, private: bool = False) -> str:
        """Put files on main, in a new repo if need be; the commit's id."""
        with self.lock:
            repo = self.repos.get(repo_id) or self.repos.setdefault(repo_id, Repo(repo_id, private))
            return repo.commit("main", {**repo.files(), **files}, "Add files")


class Handler(BaseHTTPRequestHandler):
    """One connection: every route returns JSON or bytes, or raises a ProblemError."""

    hub: SmallHub
    protocol_version, disable_nagle_algorithm = "HTTP/1.1", True

    def handle(self) -> None:
        self.hub.connections.add(self.connection)
        with suppress(OSError):  # the client hung up
            super().handle()
        self.hub.connections.discard(self.connection)

    def log_message(self, *_: Any) -> None: ...

    def serve(self) -> None:
        url = urlsplit(self.path)
        self.segments = [unquote(part) for part in url.path.split("/")[1:]]
        self.query, self.status, self.extra = parse_qs(url.query), 200, dict[str, str]()
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.hub.requests.append((self.command, url.path))
        try:
            with self.hub.lock:
                answer = self.route()
        except ProblemError as problem:
            self.status, answer = problem.status, problem.body
            self.extra |= problem.headers
        except Exception as error:  # a request, or a card, that cannot be read
            self.status, answer = 400, {"error": str(error), "errors": [{"message": str(error)}]}
        body = answer if isinstance(answer, bytes) else json.dumps(answer, default=str).encode()
        kind = "application/octet-stream" if body is answer else "application/json"
        self.send_response(self.status)
        for key, value in {"Content-Type": kind, "Content-Length": len(body), **self.extra}.items():
            self.send_header(key, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = serve

    def owns(self, owner: str, must: bool = False) -> bool:
        """Whether the caller may write in a namespace; a wrong token is an error."""
        header = self.headers.get("Authorization")
        if header not in (None, f"Bearer {self.hub.token}"):
            raise ProblemError(401, "Invalid credentials in Authorization header")
        owned = header is not None and owner in (self.hub.user, *self.hub.organisations)
        if must and not owned:
            refusal = f"You have no write access to the namespace {owner}"
            raise ProblemError(403, refusal) if header else ProblemError(401, "Please log in.")
        return owned

    def repo(self, parts: list[str], write: bool = False) -> Repo:
        repo, owned = self.hub.repos.get("/".join(parts)), self.owns(parts[0])
        if repo is None or (repo.private and not owned):
            status = 404 if "Authorization" in self.headers else 401
            raise ProblemError(status, "Repository not found", "RepoNotFound")
        self.owns(parts[0], must=write)
        return repo

    def route(self) -> Any:
        self.owns("")  # a wrong token is refused everywhere
        match self.segments:
            case ["api", "whoami-v2"]:
                self.owns(self.hub.user, must=True)
                orgs = [{"type": "org", "name": n, "fullname": n} for n in self.hub.organisations]
                access = {"displayName": "test", "role": "write"}
                auth = {"type": "access_token", "accessToken": access}
                return {"type": "user", "name": self.hub.user, "orgs": orgs, "auth": auth}
            case ["api", "validate-yaml"]:
                read_card({"README.md": self.asked()["content"].encode()})
                return {"warnings": []}
            case ["api", "repos", "create" | "delete" as verb]:
                return self.create_or_delete(verb, self.asked())
            case ["api", "models"] if self.command == "GET":
                return self.models({key: values[0] for key, values in self.query.items()})
            case ["api", "models", owner, *rest]:
                reads = self.command == "GET" or rest[1:2] == ["paths-info"]
                return self.model(self.repo([owner, *rest[:1]], write=not reads), rest[1:])
            case [*parts] if "resolve" in parts[1:-2] and self.command in ("GET", "HEAD"):
                at = parts.index("resolve", 1)
                return self.file(self.repo(parts[:at]), parts[at + 1], "/".join(parts[at + 2 :]))
        raise ProblemError(404, f"This hub has no {self.command} {self.path}")

    def asked(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    def create_or_delete(self, verb: str, asked: dict[str, Any]) -> dict[str, str]:
        owner, name = asked.get("organization") or self.hub.user, asked["name"]
        if asked.get("type", "model") != "model":
            raise ProblemError(400, "This hub keeps models only")
        if verb == "delete":
            del self.hub.repos[self.repo([owner, name], write=True).id]
            return {}
        self.owns(owner, must=True)
        made = Repo(f"{owner}/{name}", private=asked.get("visibility") == "private")
        answer = {"url": f"{self.hub.url}/{made.id}", "name": made.id, "id": made.id}
        if self.hub.repos.setdefault(made.id, made) is not made:
            raise ProblemError(409, "You already created this model repo", **answer)
        return answer

    def models(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        wanted = {*self.query.get("filter", []), *self.query.get("pipeline_tag", [])}
        hidden = (set() if "full" in asked else ONLY_IF_FULL) | ({"cardData"} - {*asked})
        hidden = set() if "expand" in asked else hidden
        found = []
        for repo in self.hub.repos.values():
            info, owner = repo.info(), repo.id.split("/")[0]
            named = asked.get("search", "").lower() in repo.id.lower()
            seen = self.owns(owner) or not repo.private
            if seen and named and wanted <= {*info["tags"]} and asked.get("author", owner) == owner:
                found.append({k: v for k, v in info.items() if k not in hidden})
        return found[: int(asked.get("limit", len(found)))]

    def model(self, repo: Repo, action: list[str]) -> Any:
        match [self.command, *action]:
            case ["GET"]:
                return repo.info("main", "blobs" in self.query)
            case ["GET", "revision", revision]:
                return repo.info(revision, "blobs" in self.query)
            case ["GET", "tree", revision, *folder]:
                return self.tree(repo, revision, "/".join(folder))
            case ["POST", "paths-info", revision]:
                files, paths = repo.files(revision), parse_qs(self.body.decode())["paths"]
                return [line for path in paths if (line := entry(files, path.strip("/")))]
            case ["GET", "refs"]:
                refs: dict[str, Any] = {"branches": repo.refs("heads"), "tags": repo.refs("tags")}
                return {**refs, "converts": [], "pullRequests": []}
            case ["GET", "commits", revision]:
                head, authors = repo.find(revision), [{"user": self.hub.user}]
                return [
                    {"id": c.sha, "title": c.title, "message": c.message, "date": c.date}
                    | {"authors": authors}
                    for c in (head, *reversed(head.before))
                ]
            case ["POST", "preupload", revision]:
                files, added = repo.files(revision), [f["path"] for f in self.asked()["files"]]
                oids = {path: git_id(files[path]) for path in added if path in files}
                mode = {"uploadMode": "regular", "shouldIgnore": False}  # so no LFS and no Xet
                return {"files": [{"path": path, "oid": oids.get(path), **mode} for path in added]}
            case ["POST", "commit", branch]:
                sha = self.commit(repo, branch)
                return {"commitOid": sha, "commitUrl": f"{self.hub.url}/{repo.id}/commit/{sha}"}
            case ["POST", "branch", name]:
                return self.name(repo, "heads", name, self.asked().get("startingPoint", "main"))
            case ["POST", "tag", revision]:
                return self.name(repo, "tags", self.asked()["tag"], revision)
            case ["DELETE", "branch" | "tag" as kind, name]:
                names = repo.branches if kind == "branch" else repo.tags
                if names is repo.branches and name == "main":
                    raise ProblemError(400, "Cannot delete refs/heads/main")
                if names.pop(name, None) is None:
                    raise ProblemError(404, f"Invalid rev id: {name}", "RevisionNotFound")
                return {}
            case ["PUT", "settings"]:
                repo.private = self.asked()["visibility"] == "private"
                return {"private": repo.private}
        raise ProblemError(404, f"This hub has no {self.command} {self.path}")

    def name(self, repo: Repo, kind: str, name: str, revision: str) -> dict[str, str]:
        names, sha = repo.branches if kind == "heads" else repo.tags, repo.find(revision).sha
        if name in names:
            raise ProblemError(409, f"Reference refs/{kind}/{name} already exists")
        names[name] = sha
        return {}

    def tree(self, repo: Repo, revision: str, folder: str) -> list[dict[str, Any]]:
        files, prefix = repo.files(revision), f"{folder}/" if folder else ""
        folders = {str(above) for path in files for above in PurePosixPath(path).parents} - {"."}
        below = sorted(path for path in {*files, *folders} if path.startswith(prefix))
        if folder and not below:
            raise ProblemError(404, f"{folder} does not exist on {revision}", "EntryNotFound")
        deep = self.query.get("recursive") == ["true"]
        return [entry(files, p) for p in below if deep or "/" not in p.removeprefix(prefix)]

    def commit(self, repo: Repo, branch: str) -> str:
        header, *lines = [json.loads(line) for line in self.body.splitlines()]
        about, head = header["value"], repo.branches.get(branch)
        if "create_pr" in self.query:
            raise ProblemError(400, "This hub takes no pull requests")
        if head is None:
            raise ProblemError(404, f"Invalid rev id: {branch}", "RevisionNotFound")
        if about.get("parentCommit", head) != head:
            raise ProblemError(412, STALE)
        files = repo.files(branch)
        for line in lines:
            key, path = line["key"], line["value"]["path"].rstrip("/")
            if {"", ".", "..", ".git"} & {*path.split("/")}:
                raise ProblemError(422, f"Invalid path: {path}")
            if key == "file":
                files[path] = base64.b64decode(line["value"]["content"])
            elif key in ("deletedFile", "deletedFolder"):
                gone = [name for name in files if f"{name}/".startswith(f"{path}/")]
                if not gone:
                    raise ProblemError(404, "A file with this name doesn't exist", "EntryNotFound")
                files = {name: files[name] for name in files if name not in gone}
            else:
                raise ProblemError(400, f"This hub takes no {key}")
        return repo.commit(branch, files, about["summary"], about.get("description", ""))

    def file(self, repo: Repo, revision: str, path: str) -> bytes:
        commit = repo.find(revision)
        self.extra["X-Repo-Commit"] = commit.sha  # the client wants it with a refusal too
        if path not in commit.files:
            raise ProblemError(404, "Entry not found", "EntryNotFound")
        content, line = commit.files[path], entry(commit.files, path)
        self.extra |= {"ETag": f'"{line.get("lfs", line)["oid"]}"', "Accept-Ranges": "bytes"}
        if self.command == "GET" and self.hub.before_download:
            content = self.hub.before_download(repo.id, path, content)
        if wanted := re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", "")):
            (first, last), size = wanted.groups(), len(content)
            stop = int(last) + 1 if last else size
            span = range(size)[int(first) : stop] if first else range(size)[-int(last) :]
            self.extra["Content-Range"] = f"bytes */{size}"
            if not span:
                raise ProblemError(416, "Range not satisfiable")
            self.extra["Content-Range"] = f"bytes {span[0]}-{span[-1]}/{size}"
            self.status, content = 206, content[span[0] : span[-1] + 1]
        return content
