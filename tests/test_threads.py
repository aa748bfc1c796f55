"""Small problems are solved in one thread of linear algebra, and what comes after has all again."""

from __future__ import annotations

from threadpoolctl import threadpool_info, threadpool_limits

from hubtl.transfer.resources import one_blas_thread


def threads() -> set[int]:
    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}


def test_there_is_one_thread_meanwhile_and_as_many_as_before_after():
    with threadpool_limits(2, user_api="blas"):
        with one_blas_thread():
            assert threads() == {1}
        assert threads() == {2}
