"""`python -m hubtl` is `hubtl`."""

from hubtl.cli import main

main()
