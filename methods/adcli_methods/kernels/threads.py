"""Threads for kernels: one small pool in C for the whole process.

OpenMP was tried first. Its loops end when every thread of the team has been there, so on a busy machine each waits
until the slowest is given a processor: kernels of half a millisecond took ten. Here the calling thread takes parts
until none are left and waits only for parts that a helper has begun. It needs no runtime library, which clang and zig
lack, and a forked child, which has no helpers, works alone.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache

from adcli_methods.kernels.compiler import Compiler, load

_SOURCE = """#include <pthread.h>
#include <sched.h>
#include <signal.h>

typedef void (*Body)(void *, long);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER, turn = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static Body body;
static void *context;
static long count, next, helpers, wanted, inside, accepting;
static unsigned long job;

static void work(void) {
    long part;
    while ((part = __atomic_fetch_add(&next, 1, __ATOMIC_RELAXED)) < count) body(context, part);
}

static void *help(void *unused) {
    unsigned long seen = 0;
    for (;;) {
        for (int i = 0; i < 40000 && __atomic_load_n(&job, __ATOMIC_RELAXED) == seen; i++)
            __atomic_signal_fence(__ATOMIC_SEQ_CST);
        pthread_mutex_lock(&lock);
        while (job == seen || !accepting || inside >= wanted) {
            seen = job;
            pthread_cond_wait(&wake, &lock);
        }
        seen = job;
        inside++;
        pthread_mutex_unlock(&lock);
        work();
        __atomic_sub_fetch(&inside, 1, __ATOMIC_RELEASE);
    }
    return unused;
}

static void hire(long threads) {
    sigset_t all, before;
    pthread_t helper;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (helpers < threads - 1 && pthread_create(&helper, 0, help, 0) == 0) {
        pthread_detach(helper);
        helpers++;
    }
    pthread_sigmask(SIG_SETMASK, &before, 0);
}

void parallel(Body given, void *with, long parts, long threads) {
    if (threads < 2 || pthread_mutex_trylock(&turn)) {
        for (long part = 0; part < parts; part++) given(with, part);
        return;
    }
    hire(threads);
    pthread_mutex_lock(&lock);
    body = given, context = with, count = parts, next = 0, wanted = threads - 1, accepting = 1;
    __atomic_add_fetch(&job, 1, __ATOMIC_RELEASE);
    pthread_cond_broadcast(&wake);
    pthread_mutex_unlock(&lock);
    work();
    pthread_mutex_lock(&lock);
    accepting = 0;
    pthread_mutex_unlock(&lock);
    while (__atomic_load_n(&inside, __ATOMIC_ACQUIRE)) sched_yield();
    pthread_mutex_unlock(&turn);
}
"""


@cache
def pool(compiler: Compiler) -> int:
    """The address of the function that runs the parts of a kernel: parallel(body, context, parts, threads)."""
    address = ctypes.cast(load(_SOURCE, compiler, "-O2").functions.parallel, ctypes.c_void_p).value
    assert address is not None
    return address


def available_threads() -> int:
    """The processors that this process may use, or fewer where OMP_NUM_THREADS says so."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, min(count, int(wanted))) if wanted.isdigit() else count


def threads_now(wanted: int) -> int:
    """So many threads, but one in a forked child: it has none of its parent's helpers."""
    return 1 if _forked else wanted


def _note_fork() -> None:
    global _forked
    _forked = True


_forked = False
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)
