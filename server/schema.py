"""The tables of a team hub: who, what, when. The bytes themselves are files in the store."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Table,
    UniqueConstraint,
)

from .columns import Number, String, Text, by, number, of, size

VERSION = 1
tables = MetaData()
meta = Table("meta", tables, Column("key", Text, primary_key=True), Column("value", Text))

# Users and organisations share one space of names, as on the Hub; `folded` is one without case.
accounts = Table(
    "accounts",
    tables,
    number(),
    Column("kind", String(4), nullable=False),  # user, org
    Column("name", String(96), nullable=False),
    Column("folded", String(96), nullable=False, unique=True),
    Column("fullname", Text, nullable=False),
    Column("private_by_default", Boolean, nullable=False, default=False),
    Column("created", Float, nullable=False),
    sqlite_autoincrement=True,
)
members = Table(
    "members",
    tables,
    of("accounts", "org_id", primary_key=True),
    of("accounts", "user_id", primary_key=True, index=True),
    Column("role", String(12), nullable=False),  # read, contribute, write, admin
)
quotas = Table("quotas", tables, of("accounts", "owner_id", primary_key=True), size("most"))
tokens = Table(
    "tokens",
    tables,
    number(),
    of("accounts", "user_id", nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("role", String(12), nullable=False),  # read, write, fineGrained
    Column("scopes", JSON, nullable=False, default=list),
    Column("created", Float, nullable=False),
    UniqueConstraint("user_id", "name"),
    sqlite_autoincrement=True,
)
ended_sessions = Table(  # of browsers: a cookie somebody kept is good for nothing any more
    "ended_sessions",
    tables,
    Column("name", String(32), primary_key=True),
    Column("until", Float, nullable=False, index=True),  # when it would have ended by itself
)

repos = Table(
    "repos",
    tables,
    number(),
    Column("kind", String(8), nullable=False),  # model, dataset, space, kernel
    of("accounts", "owner_id", nullable=False),
    by("creator_id"),
    Column("name", String(96), nullable=False),
    Column("folded", String(256), nullable=False, unique=True),  # kind/owner/name without case
    Column("private", Boolean, nullable=False),
    Column("gated", String(8)),  # auto, manual
    Column("created", Float, nullable=False),
    Column("modified", Float, nullable=False),
    Column("likes", Number, nullable=False, default=0),
    Column("downloads", Number, nullable=False, default=0),
    Column("head", String(40)),
    # What the head of main tells, worked out when it is committed: see facts.py.
    Column("task", Text),
    Column("parameters", BigInteger),
    Column("facts", JSON, nullable=False, default=dict),
    *(Index(f"repos_by_{key}", "kind", key) for key in "modified downloads likes created".split()),
    Index("repos_by_owner", "owner_id", "kind", "downloads"),
    # All that narrowing to a task looks at, so that no row is read.
    Index("repos_by_task", "kind", "task", "downloads", "id", "private", "owner_id"),
    Index("repos_to_count", "kind", "private", "owner_id", "task"),  # counting reads this alone
    sqlite_autoincrement=True,
)
moved = Table(
    "moved",  # where a repository was before
    tables,
    Column("folded", String(256), primary_key=True),
    of("repos", "repo_id", nullable=False, index=True),
)
repo_tags = Table(
    "repo_tags",
    tables,
    of("repos", "repo_id", primary_key=True),
    Column("tag", String(256), primary_key=True, index=True),
    Index("repo_tags_to_count", "tag", "repo_id"),
)
repo_bases = Table(
    "repo_bases",
    tables,
    of("repos", "repo_id", primary_key=True),
    Column("base", String(200), primary_key=True, index=True),  # without case
)

# Git's objects. A blob that is `large` is a pointer, as in Git LFS; `size` is its content's.
blobs = Table(
    "blobs",
    tables,
    Column("oid", String(40), primary_key=True),
    Column("sha256", String(64), nullable=False, index=True),
    size("size"),
    Column("large", Boolean, nullable=False),
    Column("unsafe", Boolean, nullable=False, default=False),
)
trees = Table(
    "trees",
    tables,
    Column("oid", String(40), primary_key=True),
    Column("body", LargeBinary, nullable=False),
)
commits = Table(
    "commits",
    tables,
    number(),
    of("repos", "repo_id", nullable=False),
    Column("oid", String(40), nullable=False),
    Column("tree", String(40), nullable=False),
    Column("parent", String(40)),
    Column("author", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("created", Float, nullable=False),
    UniqueConstraint("repo_id", "oid"),
    sqlite_autoincrement=True,
)
refs = Table(
    "refs",
    tables,
    of("repos", "repo_id", primary_key=True),
    Column("name", String(256), primary_key=True),  # refs/heads/main, refs/tags/v1, refs/pr/1
    Column("oid", String(40), nullable=False),
    Column("message", Text),
)
# Every blob that any commit of a repository has had: what garbage collection must leave alone.
repo_blobs = Table(
    "repo_blobs",
    tables,
    of("repos", "repo_id", primary_key=True),
    Column("oid", String(40), primary_key=True, index=True),
)

# Contents in the store, and who has shown to have them: knowing a sha256 gives nobody its bytes.
objects = Table(
    "objects",
    tables,
    Column("sha256", String(64), primary_key=True),
    size("size"),
    Column("touched", Float, nullable=False),
)
repo_objects = Table(
    "repo_objects",
    tables,
    of("repos", "repo_id", primary_key=True),
    Column("sha256", String(64), primary_key=True, index=True),
    Column("pushed", Float, nullable=False),
)

# Another hub's repositories, and files of their commits whose content nobody has asked for yet.
mirrors = Table(
    "mirrors", tables, of("repos", "repo_id", primary_key=True), Column("upstream", Text)
)
awaited = Table(
    "awaited",
    tables,
    Column("oid", String(40), primary_key=True),
    Column("sha256", String(64), nullable=False),  # empty for a small one
    size("size"),
    Column("large", Boolean, nullable=False),
)

likes = Table(
    "likes",
    tables,
    of("repos", "repo_id", primary_key=True),
    of("accounts", "user_id", primary_key=True, index=True),
    Column("created", Float, nullable=False),
)
access_requests = Table(
    "access_requests",
    tables,
    number(),
    of("repos", "repo_id", nullable=False),
    of("accounts", "user_id", nullable=False),
    Column("status", String(8), nullable=False),  # pending, accepted, rejected
    Column("reason", Text),
    Column("fields", JSON),
    Column("created", Float, nullable=False),
    UniqueConstraint("repo_id", "user_id"),
    sqlite_autoincrement=True,
)
discussions = Table(
    "discussions",
    tables,
    number(),
    of("repos", "repo_id", nullable=False),
    Column("number", Number, nullable=False),
    by("author_id"),
    Column("title", Text, nullable=False),
    Column("status", String(8), nullable=False),  # open, closed, draft, merged
    Column("pull_request", Boolean, nullable=False),
    Column("base", String(256)),
    Column("merged", String(40)),
    Column("created", Float, nullable=False),
    UniqueConstraint("repo_id", "number"),
    sqlite_autoincrement=True,
)
events = Table(
    "events",
    tables,
    number(),
    of("discussions", "discussion_id", nullable=False, index=True),
    by("author_id"),
    Column("key", String(24), nullable=False, unique=True),
    Column("kind", String(16), nullable=False),  # comment, status-change, commit, title-change
    Column("data", JSON, nullable=False),
    Column("created", Float, nullable=False),
    sqlite_autoincrement=True,
)
collections = Table(
    "collections",
    tables,
    number(),
    Column("key", String(24), nullable=False, unique=True),
    of("accounts", "owner_id", nullable=False, index=True),
    Column("title", Text, nullable=False),
    Column("description", Text),
    Column("theme", String(16), nullable=False),
    Column("private", Boolean, nullable=False),
    Column("position", Number, nullable=False, default=0),
    Column("modified", Float, nullable=False),
    sqlite_autoincrement=True,
)
collection_items = Table(
    "collection_items",
    tables,
    number(),
    of("collections", "collection_id", nullable=False, index=True),
    Column("key", String(24), nullable=False, unique=True),
    Column("kind", String(12), nullable=False),  # model, dataset, space, paper, collection
    Column("item", Text, nullable=False),
    Column("note", Text),
    Column("position", Number, nullable=False),
    UniqueConstraint("collection_id", "kind", "item"),
    sqlite_autoincrement=True,
)
webhooks = Table(
    "webhooks",
    tables,
    number(),
    Column("key", String(24), nullable=False, unique=True),
    of("accounts", "user_id", nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("hub", Text, nullable=False),  # the hub's address, as its maker knows it
    Column("watched", JSON, nullable=False),
    Column("domains", JSON, nullable=False),
    Column("secret", Text),
    Column("disabled", Boolean, nullable=False, default=False),
    sqlite_autoincrement=True,
)

# What Xet calls the contents that came by it: worked out here, so nobody can claim another's.
xet_files = Table(
    "xet_files",
    tables,
    Column("sha256", ForeignKey("objects.sha256", ondelete="CASCADE"), primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    size("size"),
)
