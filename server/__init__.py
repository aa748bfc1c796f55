"""The team hub: a server that the Hub's own clients can't tell from the real one.

A request walks one way through these files, and each knows only those before it:

    git, objects, database    bytes by their sha256, trees and commits by git's own ids
    accounts, access          who is asking, and what they may see and change
    repos, refs, commits      what is kept, under which name, and how it came to be
    facts, listing            what its card and its files tell, and how it is found
    routes/                   the Hub's API, one file a subject
    application, serving      limits, errors, logs; the process itself
"""
