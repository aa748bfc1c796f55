"""The team hub: a server that the Hub's own clients can't tell from the real one.

Each file knows only those that stand before it here:

    problem, git, outgoing              refusals in the Hub's words, git's own ids, calls outwards
    columns, schema, dialects, names    the tables, in SQLite or PostgreSQL
    database, claims, copying           transactions, and which database is whose
    contents, bucket, objects           contents by their sha256, on this disk or in a bucket
    upstream                            another hub, as far as this one asks it
    hub, signing, store_lock            one store with its secret, and what that signs
    accounts, repos, access, sessions   who there is, and what they may see and change
    quotas                              how much a namespace may keep
    pickles, refs, trees, storing       branches, files of a commit, and how each is kept
    cards, facts, commits, merging      what files tell, and how they come to be
    mirrors                             repositories of another hub, as they are there
    ages, finding, facets, describing   how repositories are found, counted, and described
    threads, differences, shelves       discussions, pull requests, collections
    hooks, payloads, calling, upkeep    webhooks, and what else goes on in the background
    xet_hash, xorbs, shards, lfs_parts  large files as clients send them
    checking, backup, importing         the store as a whole, as `hubtl hub` looks after it
    inventory                           what `hubtl hub list` shows
    routing, answers                    a request as a function sees it, and what goes back
    zero_copy, sending                  contents on their way out
    pages                               what people look at, one file a subject
    openapi, routes                     the Hub's API, one file a subject
    flights, wishes, fetching           what is fetched from another hub, once for all
    logs                                what is written down of it
    bodies, guard                       a request's way in, and its limits
    application, serving                all of it together; the process itself
"""
